//! Where a text in Slack's markup may be cut.

/// The last position within `max_length` where a cut splits neither a link nor an entity; after a space if
/// there is one in the second half. Never the very start, so that every cut makes progress.
pub(crate) fn cut_point(text: &str, max_length: usize) -> usize {
    let (mut units, mut anywhere, mut behind_space) = (0, 0, 0);
    let (mut in_link, mut in_entity) = (false, false);
    for (index, character) in text.char_indices() {
        if !in_link && !in_entity {
            anywhere = index;
        }
        units += character.len_utf16();
        if units > max_length {
            break;
        }
        // Every literal `<` and `&` is an entity, so these are markup.
        match character {
            '<' => in_link = true,
            '>' => in_link = false,
            '&' => in_entity = true,
            ';' => in_entity = false,
            ' ' | '\n' if !in_link && units > max_length / 2 => behind_space = index + 1,
            _ => {}
        }
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    if behind_space > 0 { behind_space } else { anywhere.max(first) }
}
