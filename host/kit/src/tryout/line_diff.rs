//! Compares two texts line by line.

/// The lines of both texts. Common lines start with two spaces, lines only in `before` with `- `, and lines
/// only in `after` with `+ `.
pub(crate) fn lines(before: &[String], after: &[String]) -> Vec<String> {
    // How many lines the two remainders have in common, for each pair of positions.
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            common[old][new] = if before[old] == after[new] {
                common[old + 1][new + 1] + 1
            } else {
                common[old + 1][new].max(common[old][new + 1])
            };
        }
    }
    let (mut old, mut new) = (0, 0);
    let mut shown = Vec::new();
    while old < before.len() || new < after.len() {
        if old < before.len() && new < after.len() && before[old] == after[new] {
            shown.push(format!("  {}", before[old]));
            (old, new) = (old + 1, new + 1);
        } else if new == after.len() || old < before.len() && common[old + 1][new] >= common[old][new + 1] {
            shown.push(format!("- {}", before[old]));
            old += 1;
        } else {
            shown.push(format!("+ {}", after[new]));
            new += 1;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_stands_between_what_did_not() {
        let texts = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(&texts("a b c"), &texts("a x c d")), ["  a", "- b", "+ x", "  c", "+ d"]);
        assert_eq!(lines(&texts("a"), &texts("a")), ["  a"]);
        assert_eq!(lines(&[], &texts("a")), ["+ a"]);
    }
}
