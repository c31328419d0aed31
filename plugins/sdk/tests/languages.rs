//! The kits of JavaScript and Python read what people type as this one does.

use std::{path::Path, process::Command};

use maro_plugin::{Reply, RunError, jira, keys, spans, typed::unescape};

const TYPED: [&str; 40] = [
    "SCRUM-1 scrum-2,Ops_2-30",
    "• SCRUM-1\n• SCRUM-2\r\nSCRUM-1",
    "SCRUM-1\u{a0}SCRUM-2\u{2003}A-3、B-4，C-5;D-6",
    "scrum–12 SCRUM−12 a–-1 – —",
    "B-2 a-1 b-2 A-1 foo foo",
    "HTTPS://x.example/browse/scrum-1",
    "https://x.example/browse/SCRUM-1?a=1&amp;b=2#c (https://x.example/browse/A-2).",
    "x.example/browse/SCRUM-1 [SCRUM-2](https://x.example/browse/SCRUM-3)",
    "https://x.example/boards/1?view=a&amp;selectedIssue=SCRUM-1",
    "https://x.example/browse/browse/A-1 https://github.com/o/r/issues/12",
    "https://x.example/?next=/browse/SCRUM-1 https://",
    "<https://x.example/browse/SCRUM-1|SCRUM-1>",
    "<https://x.example/some/page|scrum-1> <https://x.example/some/page|SCRUM-1: Sign-up, and more>",
    "(<https://x.example/browse/A-1|A-1>). *<https://x.example/browse/B-2|B-2>*,",
    "<https://x.example/browse/A-1|A-1><https://x.example/browse/B-2|B-2>c-3",
    "A-1<https://x.example/browse/B-2> foo<https://x.example/browse/C-3>",
    "<@U1|scrum-1> <#C1|scrum-2> <!channel> <mailto:a@b.example|scrum-3>",
    "&lt;https://x.example/browse/SCRUM-1&gt; &lt;SCRUM-1 SCRUM-2&gt;",
    "`A-1` \"B-1\" “C-1” «D-1» (E-1) [F-1], G-1… #H-1 \u{200b}I-1\u{feff} ```J-1```",
    "foo! SCRUM SCRUM- -1 123 SCRUM-0 SCRUM-0123 1SCRUM-1 SCRUM-1-2 SCRUM-1a",
    "SCRUM-１ SCRUM-١ ＳＣＲＵＭ-1 ÄB-1 ſcrum-1 K-1 SCRUM-1234567890123456789",
    "a&amp;b &amp;lt; x&y & &amp",
    "- ... 🦀 < > <> <|> <@>x",
    "<https://x.example|a <b> <http://x y> <https://x.example",
    "",
    " , ;\n•",
    "say \"hi\" \\o/ R&amp;D",
    "two\nlines\u{7}\u{85}end",
    "A-1|B-2 /A-1/ issues/A-1/ /issues/(A-1)",
    "https://x.example/browse/A-1|A-1",
    "<https://x.example/browse/A-1|A-1|B-2>",
    "<https://x.example/browse/A-1?x=<y>>",
    "selectedIssue=A-1 ?selectedIssue=A-1 ?selectedIssue=&selectedIssue=A-1",
    "ééééééééééééééééééééééééééééééééééééééééééééééééé 🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
    "İ-1 ß-1 A_-1 _A-1 __B-1__",
    "'<https://x.example/browse/A-1>' '' \"\"",
    "*bold* <@U1>! <@U1>,<@U1>",
    "A-1\u{1c}B-2\u{b}C-3\u{2028}D-4\u{3000}E-5\u{180e}F-6",
    "<HTTPS://x.example/browse/A-1>",
    "A-1\tB-2 \u{202e}C-3",
];

/// What the kit of this language makes of a text: its words a line each, quoted, unescaped.
fn read_here(typed: &str) -> String {
    let words = match keys::parse(typed) {
        Ok(words) => Reply::to_caller().lines(words.lines(|key| spans![key.as_str()])).preview(),
        Err(RunError::Usage(sentence) | RunError::Failed(sentence)) => sentence,
    };
    format!("{words}\n{}\n{}", jira::quoted(typed), unescape(typed))
}

/// Compares what a program says of each text, with a zero after each.
#[expect(clippy::print_stderr, reason = "a test that is skipped must not be so in silence")]
fn agrees(program: &str, arguments: &[&str], folder: &str) {
    let many =
        [50, 51, 250].map(|count| (1..=count).map(|number| format!("A-{number} ")).collect::<String>());
    let typed = || TYPED.iter().copied().chain(many.iter().map(String::as_str));
    let output = Command::new(program)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(arguments)
        .args(typed())
        .output();
    #[expect(clippy::disallowed_methods, reason = "CI says that it is one in the environment alone")]
    let is_ci = std::env::var("CI").is_ok();
    let Ok(output) = output else {
        assert!(!is_ci, "{program} is not installed");
        eprintln!("SKIPPED: {program} is not installed, and its kit is not compared");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("the scripts write UTF-8");
    let said: Vec<_> = said.split_terminator('\0').collect();
    assert_eq!(said.len(), typed().count());
    for (typed, said) in typed().zip(said) {
        assert_eq!(said, read_here(typed), "{typed:?}");
    }
}

#[test]
fn javascript_reads_what_is_typed_as_rust_does() {
    let script = "
        import { issueKeys, quoted, unescape } from './maro.js';
        const words = (typed) => {
          try {
            return issueKeys(typed).map(({ key, word }) => key ?? '`' + word + '` is not an issue key').join('\\n');
          } catch (error) { return error.val ?? String(error); }
        };
        for (const typed of process.argv.slice(1)) {
          process.stdout.write([words(typed), quoted(typed), unescape(typed)].join('\\n') + '\\0');
        }";
    agrees("node", &["--input-type=module", "--eval", script, "--"], "javascript");
}

#[test]
fn python_reads_what_is_typed_as_rust_does() {
    let script = "
import sys
from unittest.mock import MagicMock

class Refusal(Exception):
    pass

names = ['componentize_py_types', 'wit_world', 'wit_world.exports', 'wit_world.exports.command', 'wit_world.imports']
sys.modules.update({name: MagicMock() for name in names})
sys.modules['componentize_py_types'].Err = Refusal
sys.modules['wit_world.exports.command'].RunError_Usage = str
from maro import issue_keys, quoted, unescape

def words(typed):
    try:
        return '\\n'.join(key or f'`{word}` is not an issue key' for word, key in issue_keys(typed))
    except Refusal as refusal:
        return refusal.args[0]

for typed in sys.argv[1:]:
    said = '\\n'.join([words(typed), quoted(typed), unescape(typed)])
    sys.stdout.buffer.write(said.encode() + b'\\0')
";
    agrees("python3", &["-c", script], "python");
}
