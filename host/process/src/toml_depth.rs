//! How deep TOML lies within itself, known before it is parsed. The parser follows tables within tables on the stack.
//! It counts brackets and the parts of a key, but each alone, so that both together can overflow it and end the
//! process.

use toml_parser::{Source, lexer::TokenKind};

/// How deep tables and lists may lie in one another: more than any settings do.
pub const MAX_DEPTH: usize = 32;

/// Where in a text tables and lists lie deeper in one another than [`MAX_DEPTH`], in bytes. Such a text must not be
/// parsed.
pub fn too_deep_at(text: &str) -> Option<usize> {
    // What is open: its kind, and the depth outside of it.
    let (mut depth, mut open) = (0, Vec::new());
    for token in Source::new(text).lex() {
        match token.kind() {
            kind @ (TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket) => {
                open.push((kind, depth));
                depth += 1;
            }
            TokenKind::RightSquareBracket => close(&mut open, &mut depth, TokenKind::LeftSquareBracket),
            TokenKind::RightCurlyBracket => close(&mut open, &mut depth, TokenKind::LeftCurlyBracket),
            // Another key, or another item of the same list.
            TokenKind::Comma | TokenKind::Newline => depth = open.last().map_or(0, |(_, outer)| outer + 1),
            TokenKind::Dot => depth += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(token.span().start());
        }
    }
    None
}

/// The parser passes over a bracket that closes nothing, and goes on inside.
fn close(open: &mut Vec<(TokenKind, usize)>, depth: &mut usize, kind: TokenKind) {
    if let Some((opened, outer)) = open.last()
        && *opened == kind
    {
        *depth = *outer;
        open.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables in one another, each behind a key of some parts.
    fn nested(tables: usize, parts: usize) -> String {
        let key = vec!["a"; parts].join(".");
        format!("{key}={}1{}\n", format!("{{{key}=").repeat(tables), "}".repeat(tables))
    }

    #[test]
    fn brackets_and_parts_of_keys_count_together() {
        assert_eq!(too_deep_at(&nested(40, 60)), Some(65));
        assert_eq!(too_deep_at(&nested(0, 33)), None);
        assert_eq!(too_deep_at(&nested(1, 16)), None);
        assert!(too_deep_at(&nested(1, 17)).is_some());
        assert!(too_deep_at(&"[".repeat(33)).is_some());
        assert!(too_deep_at(&format!("a={}", "[\n".repeat(33))).is_some());
        // A bracket of the other kind closes nothing.
        assert!(too_deep_at(&format!("a={}", "{a=]".repeat(33))).is_some());
        assert!(too_deep_at(&format!("a={}", "[}".repeat(33))).is_some());
    }

    #[test]
    fn what_stands_beside_one_another_is_not_deep() {
        let wide = "a.b.c = { d.e = [[1.5, 2.5], [\n3.5,\n]], f = \"[[[[....{{{{\" } # [[[[....\n";
        assert_eq!(too_deep_at(&wide.repeat(1_000)), None);
        assert_eq!(too_deep_at("[access.channel.C0123]\nprojects = ['.[.[.[', 'B']\n]]]]}}}}"), None);
    }
}
