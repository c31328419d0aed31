//! Restricting somebody else's JQL to some projects, so that nothing in it can reach other projects.
//!
//! The query goes into brackets after the condition on the project. It could escape only through a bracket or
//! quotation mark that Jira reads differently than this file does, so anything ambiguous is rejected:
//! unmatched brackets and quotation marks and, outside quotation marks, any sign that escapes or could start
//! a comment. Jira doesn't accept those signs there either.

/// A query with unmatched brackets or quotation marks, or with signs that must be quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the query can't be restricted to projects")]
pub(crate) struct Unbalanced;

/// The query that finds what `jql` finds, but only in these projects. There must be at least one, and each
/// must be a valid project key.
pub(crate) fn scoped(jql: &str, projects: &[String]) -> Result<String, Unbalanced> {
    let order = start_of_order(jql)?;
    let (condition, order) = jql.split_at(order.unwrap_or(jql.len()));
    let projects = projects.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let mut scoped = format!("project in ({projects})");
    if !condition.trim().is_empty() {
        scoped.push_str(&format!(" AND ({})", condition.trim()));
    }
    if !order.is_empty() {
        scoped.push_str(&format!(" {}", order.trim()));
    }
    Ok(scoped)
}

/// Reads the whole query, and returns where its `ORDER BY` begins.
pub(crate) fn start_of_order(jql: &str) -> Result<Option<usize>, Unbalanced> {
    let mut depth = 0_u32;
    let mut order = None;
    let mut rest = jql;
    while let Some(first) = rest.chars().next() {
        let at = jql.len() - rest.len();
        let length = match first {
            '"' | '\'' => length_of_quoted(rest, first)?,
            '(' | ')' if order.is_some() => return Err(Unbalanced),
            '(' => {
                depth += 1;
                1
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or(Unbalanced)?;
                1
            }
            sign if is_unreadable(sign) => return Err(Unbalanced),
            letter if is_part_of_word(letter) => {
                let length = rest.find(|letter| !is_part_of_word(letter)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(length);
                if depth == 0
                    && order.is_none()
                    && word.eq_ignore_ascii_case("order")
                    && starts_with_by(behind)
                {
                    order = Some(at);
                }
                length
            }
            other => other.len_utf8(),
        };
        rest = &rest[length..];
    }
    if depth == 0 { Ok(order) } else { Err(Unbalanced) }
}

/// The length of a quoted text with its quotation marks. A backslash escapes the next character.
pub(crate) fn length_of_quoted(text: &str, mark: char) -> Result<usize, Unbalanced> {
    let mut letters = text.char_indices().skip(1);
    while let Some((position, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next().ok_or(Unbalanced)?),
            letter if letter == mark => return Ok(position + 1),
            letter if letter.is_control() => return Err(Unbalanced),
            _ => {}
        }
    }
    Err(Unbalanced)
}

/// What isn't allowed outside quotation marks.
fn is_unreadable(sign: char) -> bool {
    matches!(sign, '\\' | '/' | '*' | '#' | ';' | '`') || (sign.is_control() && !is_gap(sign))
}

pub(crate) fn is_part_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-' || letter == '.'
}

/// White space to Jira. Other white space doesn't end a word.
fn is_gap(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

fn starts_with_by(text: &str) -> bool {
    let word = text.trim_start_matches(is_gap);
    let length = word.find(|letter| !is_part_of_word(letter)).unwrap_or(word.len());
    word.len() < text.len() && word[..length].eq_ignore_ascii_case("by")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(jql: &str) -> Result<String, Unbalanced> {
        scoped(jql, &["A".to_owned(), "B_2".to_owned()])
    }

    #[track_caller]
    fn assert_narrowed(jql: &str, condition_and_order: &str) {
        let expected = format!("project in (\"A\", \"B_2\"){condition_and_order}");
        assert_eq!(narrowed(jql).as_deref(), Ok(expected.as_str()), "{jql}");
    }

    #[test]
    fn a_query_stands_in_brackets_and_its_order_behind_them() {
        assert_narrowed("status = Open", " AND (status = Open)");
        assert_narrowed("a = 1 OR b = 2", " AND (a = 1 OR b = 2)");
        assert_narrowed("a = 1 ORDER BY key", " AND (a = 1) ORDER BY key");
        assert_narrowed(
            "a = 1\n order\tby \"Story Points\" DESC, key",
            " AND (a = 1) order\tby \"Story Points\" DESC, key",
        );
        assert_narrowed("(a = 1)ORDER BY key", " AND ((a = 1)) ORDER BY key");
        assert_narrowed(
            "assignee in (currentUser(), \"x\") and (b = 2)",
            " AND (assignee in (currentUser(), \"x\") and (b = 2))",
        );
    }

    #[test]
    fn a_query_without_a_condition_finds_all_of_the_projects() {
        assert_narrowed("", "");
        assert_narrowed(" \n ", "");
        assert_narrowed("ORDER BY created DESC", " ORDER BY created DESC");
        assert_narrowed("  order by created", " order by created");
    }

    #[test]
    fn what_is_quoted_is_neither_a_bracket_nor_an_order() {
        assert_narrowed(r#"a ~ ") OR (b""#, r#" AND (a ~ ") OR (b")"#);
        assert_narrowed(r"a ~ ') OR (b'", r" AND (a ~ ') OR (b')");
        assert_narrowed(r#"a ~ "x\") OR (\\""#, r#" AND (a ~ "x\") OR (\\")"#);
        assert_narrowed(r#"a ~ "it's" AND b ~ 'say "hi"'"#, r#" AND (a ~ "it's" AND b ~ 'say "hi"')"#);
        assert_narrowed(r#"a ~ "x ORDER BY y" ORDER BY key"#, r#" AND (a ~ "x ORDER BY y") ORDER BY key"#);
        assert_narrowed(r#"a ~ "/* # ; \\ *""#, r#" AND (a ~ "/* # ; \\ *")"#);
    }

    #[test]
    fn only_the_two_words_in_a_row_are_an_order() {
        for jql in [
            "order = 1",
            "a = border by",
            "a = order-by",
            "orderby key",
            "a = reorder\u{a0}by",
            "(a ORDER BY b)",
        ] {
            assert_narrowed(jql, &format!(" AND ({jql})"));
        }
    }

    #[test]
    fn nothing_leads_out_of_the_brackets() {
        for escape in [
            "a = 1) OR (b = 2",
            ") OR project = C OR (a = 1",
            "a = 1))",
            "((a = 1)",
            "(",
            ")",
            "a = 1 OR ) (",
            "a ~ \"x",
            "a ~ 'x",
            "a ~ \"x\\\"",
            "a ~ \"x\\",
            "a ~ \"x' OR b ~ 'y",
            "a ~ \"line\nbreak\"",
            r#"a ~ \") OR project = C OR (b ~ \""#,
            r"a ~ \'x",
            "a = 1 /* ( */ ) OR project = C",
            "a = 1 // (",
            "a = 1 # (",
            "a = 1; project = C",
            "a = `)`",
            "a = \0",
            "a = 1 ORDER BY key) OR (project = C",
            "a = 1 ORDER BY f(x)",
            "ORDER BY key ORDER BY (",
        ] {
            assert_eq!(narrowed(escape), Err(Unbalanced), "{escape}");
        }
    }

    /// Tries every short text made of the signs that matter: what is accepted is balanced inside its
    /// brackets.
    #[test]
    fn no_short_query_closes_the_bracket_around_it() {
        const SIGNS: [&str; 7] = ["(", ")", "\"", "'", "\\", "a", " order by "];
        let mut queries = vec![String::new()];
        for _ in 0..6 {
            queries = queries.iter().flat_map(|query| SIGNS.map(|sign| format!("{query}{sign}"))).collect();
            for query in &queries {
                let Ok(scoped) = narrowed(query) else { continue };
                let behind = scoped.strip_prefix("project in (\"A\", \"B_2\")").unwrap();
                assert_only_closed_at_its_end(behind, query);
            }
        }
    }

    /// Reads the query again, letter by letter: the first bracket closes before the order, and only the
    /// order, which has no brackets, comes after it.
    #[track_caller]
    fn assert_only_closed_at_its_end(scoped: &str, query: &str) {
        let Some(inside) = scoped.strip_prefix(" AND (") else {
            assert!(scoped.is_empty() || scoped.starts_with(" order by"), "{query}: {scoped}");
            return;
        };
        let (mut depth, mut mark, mut is_escaped) = (1, None, false);
        for (position, letter) in inside.char_indices() {
            match (mark, letter) {
                _ if is_escaped => is_escaped = false,
                (Some(_), '\\') => is_escaped = true,
                (Some(open), letter) if open == letter => mark = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => mark = Some(letter),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None, _) => {}
            }
            if depth == 0 {
                let behind = &inside[position + 1..];
                assert!(behind.is_empty() || behind.starts_with(" order by"), "{query}: {scoped}");
                return;
            }
        }
        panic!("{query}: {scoped} is not closed");
    }
}
