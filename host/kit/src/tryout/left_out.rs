//! Which of a reply's buttons Slack doesn't show, and by which limit.

use maro_domain::reply::MAX_CONFIRMED_COMMAND;
use maro_runtime::running::MAX_COMMAND_LENGTH;
use maro_slack::view::button::MAX_ROW;
use maro_texts::plugins::left_out as words;
use serde_json::Value;

/// Says which buttons of a plugin's reply are missing from a message that shows `shown`.
pub(crate) fn left_out(reply: &Value, shown: usize) -> Option<String> {
    let blocks = reply["blocks"].as_array()?;
    let rows: Vec<&Vec<Value>> = blocks.iter().filter_map(|block| block["Buttons"].as_array()).collect();
    let items = blocks.iter().filter_map(|block| block["Items"].as_array()).flatten();
    let beside: Vec<_> = items.map(|item| &item["button"]).filter(|button| button.is_object()).collect();
    let asked = rows.iter().map(|row| row.len()).sum::<usize>() + beside.len();
    let missing = asked.checked_sub(shown).filter(|missing| *missing > 0)?;
    let all = || rows.iter().copied().flatten().chain(beside.iter().copied());
    let text = |button: &Value, field: &str| button[field].as_str().unwrap_or_default().trim().to_owned();
    let length = |button: &Value| text(button, "command").chars().count();
    let mut reasons = Vec::new();
    if rows.iter().any(|row| row.len() > MAX_ROW) {
        reasons.push(words::too_many_in_a_row(MAX_ROW));
    }
    if all().any(|button| text(button, "label").is_empty() || text(button, "command").is_empty()) {
        reasons.push(words::NEEDS_BOTH.to_owned());
    }
    if all().any(|button| length(button) > MAX_COMMAND_LENGTH) {
        reasons.push(words::command_too_long(MAX_COMMAND_LENGTH));
    }
    if reasons.is_empty() {
        reasons.push(words::too_large(MAX_CONFIRMED_COMMAND));
    }
    Some(format!("✗ {}.", words::buttons(missing, asked, &reasons.join(", and "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_named() {
        let button = |label: &str, command: &str| serde_json::json!({ "label": label, "command": command });
        let row = |buttons: Vec<Value>| serde_json::json!({ "blocks": [{ "Paragraph": [] }, { "Buttons": buttons }] });
        let many = row(vec![button("B", "poll 1"); 200]);
        assert_eq!(
            left_out(&many, 25).unwrap(),
            "✗ 175 of 200 buttons aren't shown: Slack shows 25 in one row."
        );
        assert_eq!(left_out(&many, 200), None);
        let empty = row(vec![button(" ", "poll 1")]);
        assert_eq!(
            left_out(&empty, 0).unwrap(),
            "✗ 1 of 1 button isn't shown: each needs a label and a command."
        );
        let long = row(vec![button("B", &"x".repeat(1_001))]);
        assert!(left_out(&long, 0).unwrap().ends_with("a command has 1000 characters at most."));
        let item = serde_json::json!({ "button": button("B", "poll 1"), "spans": [] });
        let items = serde_json::json!({ "blocks": [{ "Items": vec![item; 60] }] });
        assert!(
            left_out(&items, 0)
                .unwrap()
                .starts_with("✗ 60 of 60 buttons aren't shown: Slack shows 50 blocks")
        );
    }
}
