//! How many comments on an issue are new, and whose they are.

use crate::field_authors::is_own;
use maro_jira::{accounts::account::Account, reading::newest_comments::Comment};

/// How many comments came after one, and whose all of them are. Neither MARO's own count nor those that aren't for
/// everybody.
pub(crate) fn new_comments(comments: &[Comment], after: i64, own: Option<&Account>) -> (u32, Option<String>) {
    let is_others = |comment: &Comment| comment.author.as_ref().is_none_or(|by| !is_own(by, own));
    let is_told = |comment: &&Comment| comment.id > after && !comment.is_restricted && is_others(comment);
    let told: Vec<_> = comments.iter().filter(is_told).collect();
    let first = told.first().and_then(|comment| comment.author.clone());
    let is_one = told.iter().all(|comment| comment.author == first);
    (u32::try_from(told.len()).unwrap_or(u32::MAX), first.filter(|_| is_one).map(|by| by.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_authors::tests::{account, editor};
    use maro_jira::accounts::people::Editor;

    #[test]
    fn comments_for_some_alone_and_maros_own_are_not_counted() {
        let comment =
            |id, author: &str, is_restricted| Comment { id, author: Some(editor(author)), is_restricted };
        let maro = account("MARO");
        let own = Some(&maro);
        let all = [
            comment(9, "Grace", false),
            comment(8, "MARO", false),
            comment(7, "Priya", true),
            comment(6, "Grace", false),
            comment(5, "Ada", false),
        ];
        assert_eq!(new_comments(&all, 5, own), (2, Some("Grace".to_owned())));
        assert_eq!(new_comments(&all, 4, own), (3, None));
        assert_eq!(new_comments(&all, 6, own), (1, Some("Grace".to_owned())));
        assert_eq!(new_comments(&all, 9, own), (0, None));
        // Somebody may be called the same.
        let by_id = |id: &str| Comment {
            id: 10,
            author: Some(Editor { id: Some(id.to_owned()), ..editor("MARO") }),
            is_restricted: false,
        };
        assert_eq!(new_comments(&[by_id("maro")], 9, own), (0, None));
        assert_eq!(new_comments(&[by_id("712020:7")], 9, own), (1, Some("MARO".to_owned())));
    }
}
