//! Emoji as apps and people write them in a message's text: `:rotating_light:`. Jira shows such a code as it is.

/// Encloses preformatted text, and text in another font.
const FENCE: &str = "```";
const TICK: char = '`';

/// What the tone of a skin looks like.
const TONE: &str = "skin-tone-";

/// The emoji that tell something in alerts. All others are shown by their names.
/// Source: <https://github.com/iamcal/emoji-data>, which Slack's own codes come from.
const SIGNS: [(&str, &str); 52] = [
    ("+1", "👍"),
    ("-1", "👎"),
    ("100", "💯"),
    ("alarm_clock", "⏰"),
    ("ambulance", "🚑"),
    ("arrow_down", "⬇️"),
    ("arrow_right", "➡️"),
    ("arrow_up", "⬆️"),
    ("bangbang", "‼️"),
    ("bell", "🔔"),
    ("boom", "💥"),
    ("bug", "🐛"),
    ("bulb", "💡"),
    ("chart_with_downwards_trend", "📉"),
    ("chart_with_upwards_trend", "📈"),
    ("computer", "💻"),
    ("construction", "🚧"),
    ("exclamation", "❗"),
    ("eyes", "👀"),
    ("fire", "🔥"),
    ("hammer_and_wrench", "🛠️"),
    ("heavy_check_mark", "✔️"),
    ("hourglass", "⌛"),
    ("information_source", "ℹ️"),
    ("key", "🔑"),
    ("large_blue_circle", "🔵"),
    ("large_green_circle", "🟢"),
    ("large_orange_circle", "🟠"),
    ("large_yellow_circle", "🟡"),
    ("link", "🔗"),
    ("lock", "🔒"),
    ("loudspeaker", "📢"),
    ("mag", "🔍"),
    ("mega", "📣"),
    ("no_entry", "⛔"),
    ("no_entry_sign", "🚫"),
    ("octagonal_sign", "🛑"),
    ("package", "📦"),
    ("question", "❓"),
    ("red_circle", "🔴"),
    ("rocket", "🚀"),
    ("rotating_light", "🚨"),
    ("skull", "💀"),
    ("snail", "🐌"),
    ("sos", "🆘"),
    ("stopwatch", "⏱️"),
    ("tada", "🎉"),
    ("warning", "⚠️"),
    ("white_check_mark", "✅"),
    ("wrench", "🔧"),
    ("x", "❌"),
    ("zap", "⚡"),
];

/// A message with its emoji as people see them, or by their names. What is code, and where a
/// link leads, stays as it is.
pub fn shown(mrkdwn: &str) -> String {
    let mut out = String::with_capacity(mrkdwn.len());
    let mut rest = mrkdwn;
    while let Some(position) = rest.find(['<', TICK]) {
        out.push_str(&with_each(&rest[..position], name_or_sign));
        rest = &rest[position..];
        let end = if let Some(code) = rest.strip_prefix(FENCE) {
            code.find(FENCE).map(|end| end + 2 * FENCE.len())
        } else if let Some(code) = rest.strip_prefix(TICK) {
            code.find([TICK, '\n']).map(|end| end + 2)
        } else {
            rest.find(['>', '\n']).map(|end| end + 1)
        };
        let (kept, after) = rest.split_at(end.unwrap_or(rest.len()));
        match kept.split_once('|') {
            Some((target, label)) if target.starts_with('<') => {
                out.push_str(target);
                out.push('|');
                out.push_str(&with_each(label, name_or_sign));
            }
            _ => out.push_str(kept),
        }
        rest = after;
    }
    out + &with_each(rest, name_or_sign)
}

fn name_or_sign(name: &str) -> String {
    if name.starts_with(TONE) {
        return String::new();
    }
    match SIGNS.binary_search_by_key(&name, |(name, _)| name) {
        Ok(place) => SIGNS[place].1.to_owned(),
        Err(_) => name.replace('_', " "),
    }
}

/// Replaces each code by what its name stands for, and leaves `10:30:00` alone.
pub(crate) fn with_each(text: &str, replaced: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Codes may follow each other: `:wave::skin-tone-2:`.
    let mut is_after_code = false;
    while let Some(position) = rest.find(':') {
        out.push_str(&rest[..position]);
        rest = &rest[position..];
        let is_after_word = out.ends_with(char::is_alphanumeric) && !(is_after_code && position == 0);
        is_after_code = false;
        match code(rest).filter(|_| !is_after_word) {
            Some(name) => {
                out.push_str(&replaced(name));
                rest = &rest[name.len() + 2..];
                is_after_code = true;
            }
            None => {
                out.push(':');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The name in the code at the start of a text.
fn code(text: &str) -> Option<&str> {
    let inside = text.strip_prefix(':')?;
    let end = inside.find(|letter: char| {
        !(letter.is_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-' | '+' | '\''))
    })?;
    let name = &inside[..end];
    let is_name = name.contains(char::is_alphabetic) || matches!(name, "+1" | "-1" | "100");
    let is_code = inside[end..].starts_with(':') && is_name;
    (is_code && !inside[end + 1..].starts_with(char::is_alphanumeric)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_shown_and_code_is_left_alone() {
        for (message, expected) in [
            (":rotating_light: *Queue* :fire:", "🚨 *Queue* 🔥"),
            ("*:fire: Disk full*", "*🔥 Disk full*"),
            (":+1::skin-tone-3: done", "👍 done"),
            (":harbor_crane: 4 :ship-it:", "harbor crane 4 ship-it"),
            ("at 10:30:00, a:b:c, ratio 1:2:3", "at 10:30:00, a:b:c, ratio 1:2:3"),
            ("`:fire:` and ```\n:fire:\n``` :fire:", "`:fire:` and ```\n:fire:\n``` 🔥"),
            ("<https://x.example/:fire:|:fire:> :x:", "<https://x.example/:fire:|🔥> ❌"),
            ("`open :fire:", "`open :fire:"),
            ("", ""),
        ] {
            assert_eq!(shown(message), expected, "{message}");
        }
        assert!(SIGNS.is_sorted_by_key(|(name, _)| name), "they are searched");
    }
}
