//! The kits of JavaScript and Python read what people type as this one does.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use maro_plugin::{
    Reply, RunError, jira,
    keys::{self, Site},
    spans,
    typed::{named, plain_words, unescape},
};

const TYPED: [&str; 110] = [
    "to “In Review”, please.",
    "=> 'Won't do' PLS! “All” of the issues, thanks",
    "A-1–3 A–1–3 A-1—A-3: x\nA-1～3 A-1〜A-3 A-1-&gt;3 B-1→2 A-1-3 A-3–1 A-1–B-3 A-1–&gt;2 A-1–3..5 A-1..2–4 A-1~~3",
    "1. A-1\n2) A-2\r\n 12)A-3\n- [x] A-4\n* [X] 3. A-5\n1\u{fe0f}\u{20e3}A-6\n1234. A-7\n1. \n2.\r\n3.5 A-8\n[ ] A-9, 2. A-1",
    "Tracked Jira issues in #general:\n• A-1: Log-in (Open)\nfoo:\nA-2\nto do:  \n\nx/y\nfoo bar:\nbaz",
    "A-1\tLog-in fails 2 times\tOpen\nA-2 \t5\n<https://x.example/browse/A-3|A-3>\tLog-in A-4\nOPS 5\tx",
    "A-1の不具合 修正A-2 【A-3】ログイン A-4（ログイン） A-5。A-6・A-7 A-8와 A-9 A-1とA-2/3を 日本 と",
    "https://x.example/browse/A-1を確認 見て<https://x.example/browse/A-2|A-2>を確認 https://y.example/日本/browse/A-3 見てhttps://x.atlassian.net/browse/A-4 /日本/A-5",
    "A-1 と A-2 و A-3 sowie A-4 ⁃ A-5 − A-6 ＳＣＲＵＭー１ A\u{ff70}2 A\u{fe58}3 A\u{fe63}4 A\u{2043}5",
    "A-1 and untrack A-2",
    "A-1\n/maro A-2",
    "all but Not: <https://y.atlassian.net/browse/A-2>",
    "A-1: not A-2 /a/b A-3 not",
    "https://x.atlassian.net/servicedesk/customer/user/login?destination=portal%2F7%2FA-1 https://x.atlassian.net/a?destination=%252Fbrowse%252FA-2 https://x.atlassian.net/a?destination=A-3 https://x.atlassian.net/a?destination=//y/browse/A-3",
    "https://x.atlassian.net/browse/A-1%20 https://x.atlassian.net/browse/A%2D2 https://x.example/a?selectedIssue=A%2d3%20 //x.atlassian.net/browse/A-4 //y.atlassian.net/browse/A-5 ///browse/A-6 //",
    "(A-1 to A-3). a-1 TO A-3 A-1 until 3, B-1 through b-2; A-1 TO 3 A-1 to B-2 A-3 to A-1 A-1: to A-2\nto 4",
    "A-1 - 3, A-1 – A-4; A-1 - A-3 fails\nA-1 .. 3 A-1 . 3 A-1 … A-2 A-1 to 2nd A-1 to 2 A-7 bis A-8 A-1 to 500",
    "A-1/A-2 A-3|a-4 (A-5+A-6&amp;A-7): foo A-8/B-9\nA-8\\B-9, 10 A-1/2/03/4x a-1/ /A-2/3/ A-1//2. A-1/2, 3 x",
    "A-1..3 A-4…A-6 A-7...B-9 A-3..1 A-1..1 A-1.2 A-1..02 A-1..2..3 A-1/A-3..5|7 A-1.. A-1..x ..A-1",
    "A-1 .. 3 A-1 ... A-3 A-1 … 4 A-1 – 3 A-1-3 A-1–3 A-999999999999999998..999999999999999999 A-1..9999999999999999999",
    "A-1..500",
    "SCRUM-123, 124 and #125., 7 8, 9 x, 10",
    "the ticket A-1 for us, in THIS channel. to me and B-2 in 3, on: list C-1 the 4",
    "the issue in this channel",
    "「A-1」【B-2】。 A-3。 A-4،A-5؛ A-6؟",
    "A-1 to 2 B-1 TO 2 /browse/C-1,2 x.example/browse/D-1?a=1,2 E-1:x,2 until 3",
    "A-1 - 3, B-1 – 4 x\nC-1 — 5\nD-1: - 6 E-1 -, 7 F-1 | 8",
    "scrum 12: HTTP, 5 fails\nA-1,\n2\n3 and 4 [B-1], 5; C-1 & 2 C-3, 012, 4 <https://x.example/browse/D-1>, 5",
    "OPS 12 - foo, 3 OPS-4 🙏 5 ,6,; 7 and <@U1>, 8",
    "https://x.atlassian.net/login.jsp?permissionViolation=true&amp;os_destination=%2Fbrowse%2FA-1%3Fx&amp;y https://x.atlassian.net/login?dest-url=%252Fbrowse%252FA-2",
    "https://id.example/login?continue=https%3A%2F%2Fx.atlassian.net%2Flogin%3Fdest-url%3D%252Fbrowse%252FA-3&amp;b <https://z.example/url?q=https://y.atlassian.net/browse/A-4&amp;sa=D>",
    "http://10.0.0.1:8080/jira/login.jsp?os_destination=/secure/ViewIssue.jspa?key=A-5 https://x.atlassian.net/login?continue=//y/browse/A-6&url=%é%4&q=%2fissues%2fA-7%00",
    "SCRUM 123 scrum - 4, OPS– 5 OPS –6 (A-1 and OPS 7). and 8 a 9 en 5",
    "SCRUM\u{a0}123🙏 SCRUM 012 SCRUM -- 1 SCRUM\n12 SCRUM, 12 toolongproject 1 <@U1> 12 SCRUM <@U2>",
    "A-1 and B-2 & C-3 + please 🙏 :pray: :+1::skin-tone-2: ❤️ и “and” I",
    "and or 🦀 :tada: &",
    "A-1🙏 B-2:white_check_mark: :bug:C-3 D-4:fix A-1:B-2 x:E-5/ ::: ::",
    "ＳＣＲＵＭ－１　scrum-２ Ｏ：Ｐ S\u{ad}CRUM\u{200b}-3 \u{2066}A-4\u{2069}",
    "A-1: HTTP 500, each B-2 foo\n• C-3: no - D-4 - e f | g\nH-5 | i https://x.example/y",
    "[A-1] foo <https://x.example/browse/B-2|B-2>: bar <@U1> baz\r\nqux <https://x.example/browse/C-3>:x A-4 – – y\u{85}z",
    "https://x.atlassian.net/secure/ViewIssue.jspa?key=A-1 https://x.example/a.jspa?id=7&amp;key=A-2 https://x.example/a?key=A-3",
    "A-1: A-2: foo: [A-3], bar OPS 4: baz",
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
    "https://x.example/servicedesk/customer/portal/7/SCRUM-1?created=true",
    "<https://x.example/jira/servicedesk/projects/SCRUM/queues/custom/19/SCRUM-1|queue>",
    "https://x.example/projects/SCRUM/queues/issue/SCRUM-1 https://x.example/Queues/A/b/C-3/",
    "https://x.example/plugins/servlet/mobile#issue/SCRUM-1 https://x.example/i#browse/SCRUM-2?filter=2",
    "https://x.example/i#a?issueKey=A-1 https://x.example/i#issueKey=A-2 https://x.example/i?issue=A-3",
    "https://x.example/Browse/SCRUM-1 https://x.example/ISSUES/SCRUM-2",
    "https://X.atlassian.net:443/browse/A-1 x.atlassian.net/browse/A-2 /browse/A-3 A-4",
    "https://ada@x.atlassian.net./jira/dashboards/1?selectedIssue=A-1",
    "<https://x.atlassian.net/jira/people/search|A-1> <https://y.atlassian.net/jira/people/search|A-2>",
    "https://x.atlassian.net/si/jira.issueviews:issue-html/A-1/A-1.html",
    "http://10.0.0.1:8080/jira/browse/A-1 [A-2](http://10.0.0.1:8080/jira/browse/A-2)",
    "https://y.atlassian.net/browse/A-1 <https://y.atlassian.net/browse/A-2|A-2>",
    "https://y.atlassian.net/jira/dashboards/10 https://y.jira.com/x",
    "https://x.atlassian.net@y.example/browse/A-1 https://x.atlassian.net.y.example/browse/A-2",
    "y.example/browse/A-1 https://y.example/jira/software/projects/A/boards/2?selectedIssue=A-2",
    "http://10.0.0.1/jira/browse/A-1 http://10.0.0.1:8080/jira2/browse/A-2 http://10.0.0.1:8080/browse/A-3",
    "<https://wiki.y.example/notes/4|A-1> https://x.atlassian.net/wiki/A-1 https://y.atlassian.net/wiki/A-1",
    "https://x.atlassian.net/wiki/spaces/A/pages/7/A-1 https://x.atlassian.net//wiki/A-2",
    "<https://x.atlassian.net/issues/?jql=a|https://x.atlassian.net/browse/A-9> <https://x.atlassian.net|A–7>",
    "HTTPS://K.example/browse/A-1 https://ſ.atlassian.net/browse/A-1 https://İ.atlassian.net/x",
    "https://x.atlassian.net\\browse\\A-1 https://x.atlassian.net:80/browse/A-1 https://x.atlassian.net:8443/browse/A-1",
    "https://x.atlassian.net:443:80/browse/A-1 https://x.atlassian.net../browse/A-1 https:///browse/A-1",
    "https://x.atlassian.net/browse/A-1,https://x.atlassian.net/browse/A-1/ (x.atlassian.net/browse/A-2)",
    "ftp://x.atlassian.net/browse/A-1 //x.atlassian.net/browse/A-2 jira:A-3 x.atlassian.net?selectedIssue=A-4",
    "http://10.0.0.1:8080/jira http://10.0.0.1:8080/jira?selectedIssue=A-1 http://10.0.0.1:8080/jira/x/A-2/y",
    "<<https://x.example/browse/A-1> <a|<https://x.example/browse/B-2|x>>",
    "<@U1>. (<@U2>) .<@U3 x> <mailto:a b> <!date^1^{date}|A-1> <http://x\u{3000}y> <http://x y|A-2>",
    "https://y.atlassian.net/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 https://y.atlassian.net/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2",
];

/// The sites for which each text is read; without one, links to any site count.
const SITES: [Option<&str>; 3] = [None, Some("https://x.atlassian.net/"), Some("http://10.0.0.1:8080/jira/")];

/// What texts are made of at random.
const PIECES: [&str; 73] = [
    "1. ",
    "[x] ",
    ":\n",
    "\t",
    "の",
    "。",
    "～",
    "-&gt;",
    "not ",
    "//",
    "ー",
    "%2D",
    " to ",
    " .. ",
    "SCRUM-9",
    "/login.jsp?os_destination=",
    "%2Fbrowse%2F",
    "&continue=https%3A%2F%2Fx.atlassian.net",
    ", ",
    "SCRUM",
    "12",
    "and",
    "- ",
    ":pray:",
    "：",
    "１",
    ": ",
    "[A-1] ",
    "OPS ",
    "SCRUM-1",
    "a-2",
    "-",
    "–",
    "A",
    "7",
    "0",
    "/browse/",
    "/issues/",
    "/queues/",
    "/wiki/",
    "https://",
    "HTTP://",
    "x.atlassian.net",
    "y.atlassian.net",
    "10.0.0.1:8080",
    "/jira",
    "/jira/",
    ":443",
    "@",
    "?selectedIssue=",
    "?issue=",
    "#",
    "&amp;",
    "&",
    "&lt;",
    "&gt;",
    "<",
    ">",
    "|",
    "@U1",
    "!here",
    " ",
    ",",
    "\n",
    "•",
    "“",
    ".",
    "(",
    "\u{200b}",
    "\0",
    "🦀",
    "İ",
    "<https://x.atlassian.net/browse/C-4|C-4>",
];

/// Texts at random, the same in every run: xorshift64.
fn at_random() -> impl Iterator<Item = String> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound).expect("it's small")
    };
    let mut text = move || -> String { (0..below(16)).map(|_| PIECES[below(73)]).collect() };
    (0..4_000).map(move |_| text())
}

/// What the kit of this language makes of a text: its words a line each, quoted, unescaped, as plain words and as a name.
fn read_here(typed: &str, site: Option<&str>) -> String {
    let words = match keys::parse_for(typed, site.map(Site::at).as_ref()) {
        Ok(words) => Reply::to_caller().lines(words.lines(|key| spans![key.as_str()])).preview(),
        Err(RunError::Usage(sentence) | RunError::Failed(sentence)) => sentence,
    };
    let plain = plain_words(typed).join("|");
    format!("{words}\n{}\n{}\n{plain}\n{}", jira::quoted(typed), unescape(typed), named(typed))
}

/// Compares what a program says of each text and site. It gets and gives them with a zero after each.
#[expect(clippy::print_stderr, reason = "a test that is skipped must not be so in silence")]
fn agrees(program: &str, arguments: &[&str], folder: &str) {
    let many =
        [50, 51, 250].map(|count| (1..=count).map(|number| format!("A-{number} ")).collect::<String>());
    let typed = TYPED.iter().map(|typed| (*typed).to_owned()).chain(many);
    // A zero in a text would end it here.
    let typed = typed.chain(at_random()).map(|typed| typed.replace('\0', "\u{1}"));
    let asked: Vec<(Option<&str>, String)> =
        typed.flat_map(|typed| SITES.map(|site| (site, typed.clone()))).collect();
    let child = Command::new(program)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    #[expect(clippy::disallowed_methods, reason = "CI says that it is one in the environment alone")]
    let is_ci = std::env::var("CI").is_ok();
    let Ok(mut child) = child else {
        assert!(!is_ci, "{program} is not installed");
        eprintln!("SKIPPED: {program} is not installed, and its kit is not compared");
        return;
    };
    let mut input = child.stdin.take().expect("it's piped");
    let lines: String =
        asked.iter().map(|(site, typed)| [site.unwrap_or_default(), "\0", typed, "\0"].concat()).collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writing.join().expect("the writer doesn't panic").expect("the script reads all");
    let said = String::from_utf8(output.stdout).expect("the scripts write UTF-8");
    let said: Vec<_> = said.split_terminator('\0').collect();
    assert_eq!(said.len(), asked.len());
    for ((site, typed), said) in asked.iter().zip(said) {
        assert_eq!(said, read_here(typed, *site), "{typed:?} on {site:?}");
    }
}

#[test]
fn javascript_reads_what_is_typed_as_rust_does() {
    let script = "
        import { readFileSync } from 'node:fs';
        import {
          issueKeys, items, lines, named, notAKey, paragraph, plainWords, preview, quoted, toCaller, unescape,
        } from './maro.js';
        // Of what is empty there's no line.
        const line = (entry) => entry.key ?? preview(toCaller(items([]), lines([]), paragraph(...notAKey(entry))));
        const words = (typed, site) => {
          try {
            return issueKeys(typed, site || undefined).map(line).join('\\n');
          } catch (error) { return error.val ?? String(error); }
        };
        const parts = readFileSync(0, 'utf8').split('\\0');
        for (let at = 0; at + 1 < parts.length; at += 2) {
          const [site, typed] = [parts[at], parts[at + 1]];
          const said = [words(typed, site), quoted(typed), unescape(typed), plainWords(typed).join('|'), named(typed)];
          process.stdout.write(said.join('\\n') + '\\0');
        }";
    agrees("node", &["--input-type=module", "--eval", script], "javascript");
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
from maro import issue_keys, named, not_a_key, plain_words, quoted, unescape
import maro
maro.code = '`{}`'.format

def words(typed, site):
    try:
        return '\\n'.join(entry.key or ''.join(not_a_key(entry)) for entry in issue_keys(typed, site or None))
    except Refusal as refusal:
        return refusal.args[0]

parts = sys.stdin.buffer.read().decode().split('\\0')
for site, typed in zip(parts[0::2], parts[1::2]):
    plain = '|'.join(plain_words(typed))
    said = '\\n'.join([words(typed, site), quoted(typed), unescape(typed), plain, named(typed)])
    sys.stdout.buffer.write(said.encode() + b'\\0')
";
    agrees("python3", &["-c", script], "python");
}
