//! Keys that aren't settings: which one was meant, and which aren't typos.
//!
//! Kubernetes adds variables to each container that are named after the Services of its namespace. With a Service called
//! `maro`, those begin like MARO's own: <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>.

use crate::config::settings_table::TABLES;

/// What the names of MARO's own settings begin with.
pub(super) const PREFIX: &str = "MARO_";

/// How similar two names must be for one to be suggested for the other, from 0 to 1.
const MIN_SIMILARITY_OF_KEYS: f64 = 0.8;

/// The protocols of a Service's ports.
const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];

/// How many letters may be wrong, missing or too many, at most a third of the name.
const MOST_SLIPS: usize = 2;

/// What a variable of a Service ends with, besides its ports.
const SERVICE_ENDINGS: [&str; 2] = ["_SERVICE_HOST", "_SERVICE_PORT"];

/// What others call a setting, where the name of another would be nearer.
const ALIASES: [(&str, &str); 7] = [
    ("HTTP_PROXY", "MARO_HTTPS_PROXY"),
    ("JIRA_HOST", "JIRA_BASE_URL"),
    ("JIRA_TOKEN", "JIRA_API_TOKEN"),
    ("JIRA_URL", "JIRA_BASE_URL"),
    ("JIRA_USERNAME", "JIRA_USER"),
    ("PROXY", "MARO_HTTPS_PROXY"),
    ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
];

/// What the names of MARO's other settings begin with. Other programs have such variables, too.
const SHARED_PREFIXES: [&str; 3] = ["DATABASE_", "JIRA_", "SLACK_"];

/// A key that isn't a setting, in a sentence that names the nearest one of `known`.
pub(super) fn problem(key: &str, place: &str, known: &[&str]) -> String {
    let nearest = meant(key, known).or_else(|| {
        let near = known.iter().filter(|known| is_near(key, known));
        near.max_by(|a, b| similarity(key, a).total_cmp(&similarity(key, b))).copied()
    });
    match nearest {
        Some(nearest) => format!("{key} in {place} isn't a MARO setting. Did you mean {nearest}?"),
        None => format!("{key} in {place} isn't a MARO setting."),
    }
}

/// As [`problem`], of a key of the file, which may also be a table.
pub(super) fn problem_in_file(key: &str, is_table: bool, place: &str, known: &[&str]) -> String {
    let name = key.to_ascii_lowercase().replace('_', "-");
    if let Some((table, _)) = TABLES.iter().find(|(_, entries)| entries.contains(&name.as_str())) {
        return format!("{key} in {place} belongs into a table: put it, as {name}, below a line [{table}].");
    }
    let nearest = TABLES.iter().map(|(table, _)| (strsim::osa_distance(&name, table), table)).min();
    match nearest {
        Some((slips, table)) if slips <= MOST_SLIPS => {
            format!("{key} in {place} isn't a MARO setting. Did you mean [{table}]?")
        }
        _ if is_table => format!(
            "{key} in {place} isn't a MARO setting: there are no tables but [access] and [roles], and other settings stand \
             above them, with their whole names."
        ),
        _ => problem(key, place, known),
    }
}

/// The setting that a name is another's word for, or a slip of.
fn meant<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == bare(key)).map(|(_, meant)| *meant);
    let slips = known.iter().filter(|known| is_misspelt(key, known));
    alias.or_else(|| slips.max_by(|a, b| similarity(key, a).total_cmp(&similarity(key, b))).copied())
}

/// The setting that a variable may have been meant to be whose name begins as other programs' names do, too.
pub(super) fn nearly<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    SHARED_PREFIXES.iter().any(|prefix| key.starts_with(prefix)).then(|| meant(key, known))?
}

fn similarity(key: &str, known: &str) -> f64 {
    strsim::jaro_winkler(bare(key), bare(known))
}

/// Whether a variable was meant to be one of the settings.
pub(super) fn is_slip(key: &str, value: &str, known: &[&str]) -> bool {
    !is_service_link(key, value) && known.iter().any(|known| is_misspelt(key, known))
}

/// Whether Kubernetes makes such a variable for a Service.
pub(super) fn is_service_link(key: &str, value: &str) -> bool {
    let is_address = || {
        PROTOCOLS
            .iter()
            .any(|protocol| value.strip_prefix(protocol).is_some_and(|rest| rest.starts_with("://")))
    };
    SERVICE_ENDINGS.iter().any(|ending| key.ends_with(ending))
        // A port that has a name: the Service's own may be all that stands before it.
        || key.contains("_SERVICE_PORT_")
        || key.ends_with("_PORT") && is_address()
        || key.split_once("_PORT_").is_some_and(|(_, port)| is_port(port))
}

/// `80_TCP`, and what is told of it: `80_TCP_ADDR`.
fn is_port(text: &str) -> bool {
    let mut parts = text.split('_');
    let number = parts.next().is_some_and(|number| number.parse::<u16>().is_ok());
    let protocol = parts.next().is_some_and(|name| PROTOCOLS.contains(&name.to_lowercase().as_str()));
    let told = parts.next().is_none_or(|told| ["ADDR", "PORT", "PROTO"].contains(&told));
    number && protocol && told && parts.next().is_none()
}

/// Whether a variable differs from a setting by a slip: some letters, or one word more or less.
fn is_misspelt(key: &str, known: &str) -> bool {
    let (name, known) = (bare(key).to_ascii_uppercase(), bare(known));
    let most = MOST_SLIPS.min(name.len().max(known.len()) / 3);
    let letters = |text: &str| text.replace('_', "");
    strsim::osa_distance(&letters(&name), &letters(known)) <= most || differs_by_a_word(&name, known)
}

/// A name without MARO's own beginning.
fn bare(key: &str) -> &str {
    key.strip_prefix(PREFIX).unwrap_or(key)
}

fn differs_by_a_word(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.split('_').collect(), other.split('_').collect());
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.len() + 1 == long.len()
        && (0..long.len()).any(|left_out| {
            let rest = long.iter().enumerate().filter(|(place, _)| *place != left_out);
            rest.map(|(_, word)| word).eq(short.iter())
        })
}

/// Whether `known` may be what was meant: what follows the first `_` is similar, or shares a word.
fn is_near(key: &str, known: &str) -> bool {
    let name = |key| str::split_once(key, '_').map_or(key, |(_, name)| name);
    let (name, known) = (name(key), name(known));
    strsim::jaro_winkler(name, known) >= MIN_SIMILARITY_OF_KEYS
        || name.split('_').any(|word| known.split('_').any(|other| word == other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::keys;

    #[test]
    fn what_kubernetes_adds_is_nobodys_slip() {
        for (key, value) in [
            ("MARO_SERVICE_HOST", "10.43.7.21"),
            ("MARO_SERVICE_PORT", "80"),
            ("MARO_SERVICE_PORT_OPERATOR", "9102"),
            ("MARO_PORT", "tcp://10.43.7.21:80"),
            ("MARO_PORT_80_TCP", "tcp://10.43.7.21:80"),
            ("MARO_PORT_80_TCP_ADDR", "10.43.7.21"),
            ("MARO_PLUGINS_SERVICE_HOST", "fd00::1"),
            ("MARO_PLUGINS_PORT", "udp://[fd00::1]:53"),
            ("MARO_LOG_PORT_5170_UDP_PROTO", "udp"),
            ("MARO_LISTEN_SERVICE_PORT_LISTEN", "80"),
        ] {
            assert!(is_service_link(key, value) && !is_slip(key, value, keys()), "{key}");
        }
        for (key, value) in [("MARO_PORT", "3000"), ("MARO_PORT_", ""), ("MARO_PORT_80_TCP_NAME", "x")] {
            assert!(!is_service_link(key, value), "{key}");
        }
    }

    #[test]
    fn a_slip_is_near_a_setting() {
        for (key, meant) in [
            ("MARO_PLUGIN_DIR", "MARO_PLUGINS_DIR"),
            ("MARO_SYNC_INTERVAL_SEC", "MARO_SYNC_INTERVAL_SECS"),
            ("MARO_SYNC_INTERVAL", "MARO_SYNC_INTERVAL_SECS"),
            ("MARO_LISTENS", "MARO_LISTEN"),
            ("MARO_LISTEN_ADDRESS", "MARO_LISTEN"),
            ("MARO_HOTRELOAD", "MARO_HOT_RELOAD"),
            ("MARO_ADMIN", "MARO_ADMINS"),
            ("MARO_LOG_LEVEL", "MARO_LOG"),
            ("MARO_DATABASE_URL", "DATABASE_URL"),
            ("MARO_JIRA_PAT", "JIRA_PAT"),
            ("MARO_SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN"),
            ("MARO_PLUGINS_DIRECTORY", "MARO_PLUGINS_DIR"),
            ("MARO_PROXY", "MARO_HTTPS_PROXY"),
            ("MARO_SLACK_TOKEN", "SLACK_BOT_TOKEN"),
        ] {
            let is_known = key == "MARO_PLUGINS_DIRECTORY" || is_slip(key, "x", keys());
            let problem = problem(key, "the environment", keys());
            assert!(is_known && problem.ends_with(&format!("Did you mean {meant}?")), "{problem}");
        }
        for key in [
            "MARO_PORT",
            "MARO_HOST",
            "MARO_ENV",
            "MARO_VERSION",
            "MARO_FOO",
            "MARO_POD_NAME",
            "MARO_IMAGE_TAG",
        ] {
            assert!(!is_slip(key, "3000", keys()), "{key}");
        }
    }
}
