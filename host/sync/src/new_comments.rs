//! How many comments on an issue are new, and whose they are.

use maro_jira::reading::newest_comments::Comment;

/// How many comments came after one, and whose all of them are. Neither MARO's own count nor those that aren't for
/// everybody.
pub(crate) fn new_comments(comments: &[Comment], after: i64, own: Option<&str>) -> (u32, Option<String>) {
    let is_told =
        |comment: &&Comment| comment.id > after && !comment.is_restricted && comment.author.as_deref() != own;
    let told: Vec<_> = comments.iter().filter(is_told).collect();
    let first = told.first().and_then(|comment| comment.author.clone());
    let is_one = told.iter().all(|comment| comment.author == first);
    (u32::try_from(told.len()).unwrap_or(u32::MAX), first.filter(|_| is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_for_some_alone_and_maros_own_are_not_counted() {
        let comment =
            |id, author: &str, is_restricted| Comment { id, author: Some(author.to_owned()), is_restricted };
        let all = [
            comment(9, "Grace", false),
            comment(8, "MARO", false),
            comment(7, "Priya", true),
            comment(6, "Grace", false),
            comment(5, "Ada", false),
        ];
        assert_eq!(new_comments(&all, 5, Some("MARO")), (2, Some("Grace".to_owned())));
        assert_eq!(new_comments(&all, 4, Some("MARO")), (3, None));
        assert_eq!(new_comments(&all, 6, Some("MARO")), (1, Some("Grace".to_owned())));
        assert_eq!(new_comments(&all, 9, Some("MARO")), (0, None));
    }
}
