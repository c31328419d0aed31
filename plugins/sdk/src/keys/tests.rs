use super::*;
use crate::keys::parser::{first_word_length, is_separator, key};

/// The words as a person reads them back: keys bare, others in angle brackets.
fn read(arguments: &str) -> Vec<String> {
    let words = parse(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error:?}"));
    words.0.into_iter().map(|word| word.unwrap_or_else(|other| format!("<{}>", other.shown))).collect()
}

fn usage(arguments: &str) -> String {
    match parse(arguments) {
        Err(RunError::Usage(sentence)) => sentence,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn keys_are_read_in_any_case_and_between_any_separators() {
    for arguments in [
        "SCRUM-1 SCRUM-2 OPS_2-30",
        "scrum-1 Scrum-2 ops_2-30",
        "SCRUM-1,SCRUM-2,OPS_2-30",
        " SCRUM-1 , SCRUM-2;\tOPS_2-30 ; ",
        "SCRUM-1\nSCRUM-2\r\nOPS_2-30\n",
        "SCRUM-1\u{a0}SCRUM-2\u{2003}OPS_2-30",
        "• SCRUM-1\n• SCRUM-2\n• OPS_2-30",
        "SCRUM-1、SCRUM-2，OPS_2-30",
    ] {
        assert_eq!(read(arguments), ["SCRUM-1", "SCRUM-2", "OPS_2-30"], "{arguments:?}");
    }
}

#[test]
fn a_hyphen_may_be_what_an_editor_made_of_it() {
    for hyphen in
        ['\u{2010}', '\u{2011}', '–', '—', '−', '－', 'ー', '\u{ff70}', '\u{fe63}', '\u{fe58}', '\u{2043}']
    {
        for typed in ["scrum{}12 SCRUM-12", "SCRUM {} 12", "SCRUM{} 12", "SCRUM {}12", "SCRUM{}\u{a0}12"] {
            assert_eq!(read(&typed.replace("{}", &hyphen.to_string())), ["SCRUM-12"], "{typed} {hyphen:?}");
        }
    }
    assert_eq!(read("a–-1 – —"), ["<a–-1>", "<–>", "<—>"]);
    assert_eq!(read("⁃ A-1 − A-2"), ["A-1", "A-2"]);
}

#[test]
fn a_number_may_stand_apart_from_its_project() {
    for (typed, expected) in [
        ("SCRUM 123", "SCRUM-123"),
        ("scrum\u{a0}123, ops 4", "SCRUM-123 OPS-4"),
        ("(SCRUM 123).", "SCRUM-123"),
        ("“SCRUM 12” and A-1", "SCRUM-12 A-1"),
        ("SCRUM 12 SCRUM-13", "SCRUM-12 SCRUM-13"),
        ("SCRUM 12 🙏 :tada:", "SCRUM-12"),
        ("ＳＣＲＵＭ　１２", "SCRUM-12"),
        ("SCRUM\n12", "<SCRUM> <12>"),
        ("SCRUM, 12", "<SCRUM> <12>"),
        ("SCRUM -- 12", "<SCRUM> <--> <12>"),
        ("SCRUM 012", "<SCRUM> <012>"),
        ("a 1", "<a> <1>"),
        ("SCRUMSCRUMSCRUM 1", "<SCRUMSCRUMSCRUM> <1>"),
        ("<@U1> 12", "<@U1> <12>"),
        ("SCRUM <https://x.example/browse/A-1>", "<SCRUM> A-1"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
}

#[test]
fn a_number_behind_a_key_and_a_comma_is_of_the_same_project() {
    for (typed, expected) in [
        ("SCRUM-123, 124", "SCRUM-123 SCRUM-124"),
        ("SCRUM-123,124;125, and #126.", "SCRUM-123 SCRUM-124 SCRUM-125 SCRUM-126"),
        ("scrum 1, 2 & 3", "SCRUM-1 SCRUM-2 SCRUM-3"),
        ("A-1,\n2", "A-1 A-2"),
        ("[A-1], 2", "A-1 A-2"),
        ("A-1, 2 B-3, 4 🙏", "A-1 A-2 B-3 B-4"),
        ("A-1, 2, foo!", "A-1 A-2 <foo!>"),
        // It may be anything else.
        ("A-1 2", "A-1 <2>"),
        ("https://x.example/browse/A-1?x=1,2", "A-1 <2>"),
        ("A-1 TO 2", "A-1 TO-2"),
        ("A-1 - 404 on log-in", "A-1"),
        ("A-1\n2", "A-1 <2>"),
        ("A-1, 2 comments", "A-1 <2> <comments>"),
        ("A-1, foo, 2", "A-1 <foo> <2>"),
        ("see A-1, 2", "<see> A-1 <2>"),
        ("A-1, 02", "A-1 <02>"),
        ("A-1: takes 5, 6", "A-1"),
        ("<https://x.example/browse/A-1>, 2", "A-1 <2>"),
        ("A-1, <@U1>, 2", "A-1 <@U1> <2>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
}

#[test]
fn keys_written_as_one_word_are_several() {
    for (typed, expected) in [
        ("SCRUM-1/SCRUM-2", "SCRUM-1 SCRUM-2"),
        ("scrum-1|scrum-2", "SCRUM-1 SCRUM-2"),
        ("SCRUM-1+SCRUM-2+OPS-3", "SCRUM-1 SCRUM-2 OPS-3"),
        ("(SCRUM-1&amp;SCRUM-2).", "SCRUM-1 SCRUM-2"),
        ("SCRUM-1\\SCRUM-2", "SCRUM-1 SCRUM-2"),
        ("SCRUM-1/SCRUM-2: Log-in fails", "SCRUM-1 SCRUM-2"),
        ("SCRUM-1/2/3", "SCRUM-1 SCRUM-2 SCRUM-3"),
        ("SCRUM-1..3", "SCRUM-1 SCRUM-2 SCRUM-3"),
        ("SCRUM-9…11, ops-3", "SCRUM-9 SCRUM-10 SCRUM-11 OPS-3"),
        ("SCRUM-1...SCRUM-2", "SCRUM-1 SCRUM-2"),
        ("SCRUM-1..2/SCRUM-7", "SCRUM-1 SCRUM-2 SCRUM-7"),
        // It may be anything else.
        ("SCRUM-1/2 of 3", "SCRUM-1 <2> <3>"),
        ("SCRUM-1/x", "<SCRUM-1/x>"),
        ("SCRUM-3..1", "<SCRUM-3..1>"),
        ("SCRUM-1..OPS-3", "<SCRUM-1..OPS-3>"),
        ("SCRUM-1.2", "<SCRUM-1.2>"),
        ("SCRUM-1-3", "<SCRUM-1-3>"),
        ("x.example/A-1/A-2", "<x.example/A-1/A-2>"),
        ("<https://x.example|A-1/A-2>", "<https://x.example>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
    assert_eq!(usage("A-1..60"), "You can use up to 50 keys at a time; you entered 60.");
    let many = usage("A-1..999999999999999999");
    assert_eq!(many, "You can use up to 50 keys at a time; you entered more than 200.");
}

#[test]
fn keys_from_one_to_another_are_all_between() {
    for (typed, expected) in [
        ("A-1 to A-3", "A-1 A-2 A-3"),
        ("a-1 To a-3, B-2 please", "A-1 A-2 A-3 B-2"),
        ("(A-1 through A-3).", "A-1 A-2 A-3"),
        ("A-1 until 3", "A-1 A-2 A-3"),
        ("the issues A-1 thru A-2 for us", "A-1 A-2"),
        ("A-1 till 2 and A-7 bis A-8", "A-1 A-2 A-7 A-8"),
        ("A-1 - 3", "A-1 A-2 A-3"),
        ("A-1 – 3, B-2", "A-1 A-2 A-3 B-2"),
        ("A-1 — A-3", "A-1 A-2 A-3"),
        ("A-1 .. 3", "A-1 A-2 A-3"),
        ("A-1 … A-2", "A-1 A-2"),
        // It may be anything else.
        ("A-1 to 2nd", "A-1 <2nd>"),
        ("A-1 to B-3", "A-1 B-3"),
        ("A-3 to A-1", "A-3 A-1"),
        ("A-3 to 1", "A-3 <1>"),
        ("A-1: to A-3", "A-1 A-3"),
        ("A-1, to A-3", "A-1 A-3"),
        ("A-1\nto A-3", "A-1 A-3"),
        ("A-1 . 3", "A-1 A-3"),
        ("A-1 - A-3 fails again", "A-1 A-3 <fails> <again>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
    assert_eq!(usage("A-1 to A-60"), "You can use up to 50 keys at a time; you entered 60.");
}

#[test]
fn a_range_needs_no_spaces() {
    for (typed, expected) in [
        ("A-1–3", "A-1 A-2 A-3"),
        ("A–1–3", "A-1 A-2 A-3"),
        ("A-1—A-3: Log-in", "A-1 A-2 A-3"),
        ("A-1～3", "A-1 A-2 A-3"),
        ("A-1〜A-3", "A-1 A-2 A-3"),
        ("A-1-&gt;3, B-1→2", "A-1 A-2 A-3 B-1 B-2"),
        // It may be anything else.
        ("A-1-3", "<A-1-3>"),
        ("A-3–1", "<A-3–1>"),
        ("A-1–B-3", "<A-1–B-3>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
}

#[test]
fn the_signs_of_pasted_lists_and_tables_are_no_words() {
    for (typed, expected) in [
        ("1. A-1\n2. A-2", "A-1 A-2"),
        ("1) A-1\r\n 12)A-2", "A-1 A-2"),
        ("- [x] A-1\n* [X] A-2: Log-in", "A-1 A-2"),
        ("1\u{fe0f}\u{20e3}A-1\n2\u{fe0f}\u{20e3} A-2", "A-1 A-2"),
        ("• 1. <https://x.example/browse/A-1|A-1>", "A-1"),
        ("Tracked Jira issues in #general:\n• A-1: Log-in (Open)\n• A-2: Sign-up", "A-1 A-2"),
        ("A-1\tLog-in fails 2 times\tOpen\nA-2 \t5", "A-1 A-2"),
        ("<https://x.example/browse/A-1|A-1>\tLog-in", "A-1"),
        // It may be anything else.
        ("A-1, 2. A-3", "A-1 A-2 A-3"),
        ("1.5 A-1", "<1.5> A-1"),
        ("1. ", "<1.>"),
        ("foo:\nA-1", "<foo:> A-1"),
        ("foo bar:\nbaz", "<foo> <bar:> <baz>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
}

#[test]
fn scripts_without_spaces_end_a_key() {
    for (typed, expected) in [
        ("A-1の不具合", "A-1"),
        ("修正A-1", "A-1"),
        ("【A-1】ログイン", "A-1"),
        ("A-1（ログイン）", "A-1"),
        ("A-1。A-2・A-3", "A-1 A-2 A-3"),
        ("A-1와 A-2", "A-1 A-2"),
        ("A-1とA-2/3を", "A-1 A-2 A-3"),
        ("A-1 と A-2 و A-3 sowie A-4", "A-1 A-2 A-3 A-4"),
        ("https://x.example/browse/A-1を確認", "A-1"),
        ("見て<https://x.example/browse/A-1|A-1>を確認", "A-1"),
        ("日本", "<日本>"),
        ("https://x.example/日本/browse/A-1", "A-1"),
        ("/日本/A-1", "</日本/A-1>"),
    ] {
        assert_eq!(read(typed).join(" "), expected, "{typed:?}");
    }
}

#[test]
fn what_is_meant_for_some_keys_is_done_to_none() {
    for (typed, word) in [
        ("A-1 and untrack A-2", "untrack"),
        ("A-1; Untrack: the issue A-2", "Untrack:"),
        ("A-1\n/maro track A-2", "track"),
        ("A-1\n/maro A-2", "/maro"),
        ("A-1 but not A-2", "not"),
        ("all except for A-2", "except"),
        ("not <https://x.example/browse/A-2>", "not"),
    ] {
        let sentence = format!(
            "“{word}” can't stand before an issue key. Enter one command at a time, with its keys only."
        );
        assert_eq!(usage(typed), sentence, "{typed}");
    }
    assert_eq!(read("A-1: Not A-2"), ["A-1", "A-2"]);
    assert_eq!(read("A-1 is not tracked\nStopped tracking A-2").last().map(String::as_str), Some("A-2"));
}

#[test]
fn what_is_typed_beside_keys_and_says_nothing_is_left_out() {
    for typed in [
        "SCRUM-1 and SCRUM-2",
        "SCRUM-1, SCRUM-2 & OPS-3 please!",
        "SCRUM-1 und SCRUM-2",
        "SCRUM-1 + SCRUM-2 / OPS-3 | – — -",
        "SCRUM-1 🙏 SCRUM-2 :pray: :+1::skin-tone-2: ❤️",
        "SCRUM-1🙏 SCRUM-2:white_check_mark:",
        "👉SCRUM-1 :bug:SCRUM-2",
        "SCRUM\u{200b}-1 S\u{ad}CRUM-\u{2060}2",
        "ＳＣＲＵＭ－１　scrum-２",
    ] {
        let keys = read(typed);
        assert!(keys[..2] == ["SCRUM-1", "SCRUM-2"] && !keys.concat().contains('<'), "{typed:?}: {keys:?}");
    }
    for typed in [
        "the ticket SCRUM-1 for us, and epic SCRUM-2 too",
        "the issues 「SCRUM-1」، SCRUM-2。 in THIS channel:",
    ] {
        assert_eq!(read(typed), ["SCRUM-1", "SCRUM-2"], "{typed}");
    }
    // Alone they aren't beside anything.
    assert_eq!(read("this issue"), ["<this>", "<issue>"]);
    assert_eq!(read("and"), ["<and>"]);
    assert_eq!(read("🦀 :tada:"), ["<🦀>", "<:tada:>"]);
}

#[test]
fn a_word_and_a_number_in_a_sentence_are_no_key() {
    assert_eq!(read("SCRUM-1 fails with API 2"), ["SCRUM-1", "<fails>", "<API>", "<2>"]);
    assert_eq!(read("SCRUM-1, moved OPS 4 SCRUM-2"), ["SCRUM-1", "<moved>", "<OPS>", "<4>", "SCRUM-2"]);
    assert_eq!(read("phase 2 starts SCRUM-1"), ["<phase>", "<2>", "<starts>", "SCRUM-1"]);
    assert_eq!(read("scrum 1, scrum 2 and OPS 3"), ["SCRUM-1", "SCRUM-2", "OPS-3"]);
    assert_eq!(read("SCRUM 1 fails"), ["SCRUM-1", "<fails>"]);
    assert_eq!(first_word_length("release 2 is out"), "release".len());
    assert_eq!(first_word_length("SCRUM 2 is out"), "SCRUM 2".len());
}

#[test]
fn a_title_that_was_copied_with_its_key_is_left_out() {
    for typed in [
        "SCRUM-1: HTTP 500, in each request (Open)",
        "• SCRUM-1: User flow (Open)\n• SCRUM-2: Database (In Progress)",
        "<https://x.example/browse/SCRUM-1|SCRUM-1>: User flow (Open)\nSCRUM-2",
        "[SCRUM-1] Sign-up fails - Jira",
        "SCRUM-1 - Sign-up fails",
        "SCRUM-1 | Sign-up fails",
        "SCRUM-1 – Sign-up fails\nSCRUM-2 – Another",
        "SCRUM 1: Sign-up fails in API 2",
        "scrum 1: sign-up, 2 ways\nscrum 2: another\n• SCRUM-2",
        "[SCRUM 1] Sign-up fails",
    ] {
        let expected: &[&str] =
            if typed.contains("SCRUM-2") { &["SCRUM-1", "SCRUM-2"] } else { &["SCRUM-1"] };
        assert_eq!(read(typed), expected, "{typed:?}");
    }
    assert_eq!(read("SCRUM-1: SCRUM-2 foo"), ["SCRUM-1", "SCRUM-2", "<foo>"]);
    assert_eq!(read("SCRUM-1:\nfoo"), ["SCRUM-1", "<foo>"]);
    assert_eq!(read("SCRUM-1 foo!"), ["SCRUM-1", "<foo!>"]);
    assert_eq!(read("[SCRUM-1] see https://x.example/y"), ["SCRUM-1", "<https://x.example/y>"]);
}

#[test]
fn repeats_keep_their_first_place() {
    assert_eq!(read("B-2 a-1 b-2 A-1 b-2"), ["B-2", "A-1"]);
    assert_eq!(read("A-1 https://x.example/browse/A-1 <https://x.example/browse/a-1|A-1>"), ["A-1"]);
    assert_eq!(read("foo A-1 foo"), ["<foo>", "A-1"]);
}

#[test]
fn a_link_through_a_page_for_logging_in_leads_where_that_leads() {
    let site = Site::at("https://x.atlassian.net");
    for (typed, expected) in [
        (
            "https://x.atlassian.net/login.jsp?permissionViolation=true&os_destination=%2Fbrowse%2FA-1&page_caps=",
            "A-1",
        ),
        ("https://x.atlassian.net/login.jsp?os_destination=/browse/A-1", "A-1"),
        (
            "https://x.atlassian.net/login.jsp?os_destination=%252Fsecure%252FRapidBoard.jspa%253FselectedIssue%253DA-1",
            "A-1",
        ),
        (
            "https://id.atlassian.com/login?application=jira&continue=https%3A%2F%2Fx.atlassian.net%2Flogin%3FredirectCount\
             %3D1%26dest-url%3D%252Fbrowse%252FA-1%26application%3Djira",
            "A-1",
        ),
        (
            "<https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.atlassian.net%2Fbrowse%2FA-1&amp;data=05|mail>",
            "A-1",
        ),
        ("https://www.google.com/url?q=https://x.atlassian.net/browse/A-1&sa=D", "A-1"),
        ("https://id.atlassian.com/login?continue=https%3A%2F%2Fy.atlassian.net%2Fbrowse%2FA-1", "elsewhere"),
        ("https://y.atlassian.net/login.jsp?os_destination=%2Fbrowse%2FA-1", "elsewhere"),
        ("https://jira.example/login.jsp?os_destination=%2Fbrowse%2FA-1", "elsewhere"),
        ("https://x.atlassian.net/login.jsp?os_destination=%2Fsecure%2FDashboard.jspa", "other"),
        ("https://x.atlassian.net/login.jsp?os_destination=%2F%2Fy.example%2Fbrowse%2FA-1", "other"),
        ("https://www.example/?q=A-1", "other"),
    ] {
        let Words(words) = parse_for(typed, Some(&site)).unwrap();
        let read = match &words[..] {
            [Ok(key)] => key.as_str(),
            [Err(NotAKey { is_other_site: true, .. })] => "elsewhere",
            [Err(_)] => "other",
            _ => panic!("{typed}: {words:?}"),
        };
        assert_eq!(read, expected, "{typed}");
    }
    let on_a_path = Some(Site::at("https://jira.example/jira"));
    let typed = "https://jira.example/jira/login.jsp?os_destination=%2Fbrowse%2FA-1";
    assert_eq!(parse_for(typed, on_a_path.as_ref()).unwrap().keys(), ["A-1"]);
}

#[test]
fn a_key_is_found_in_a_url_of_its_issue() {
    for url in [
        "https://x.example/browse/SCRUM-1",
        "HTTPS://x.example/browse/scrum-1",
        "http://localhost:8080/jira/browse/SCRUM-1",
        "https://x.example/browse/SCRUM-1/",
        "https://x.example/browse/SCRUM-1?focusedCommentId=1&page=all",
        "https://x.example/browse/SCRUM-1#comment-10001",
        "https://x.example/browse/SCRUM-1?a=1#b",
        "https://x.example/browse/SCRUM-1.",
        "(https://x.example/browse/SCRUM-1)",
        "“https://x.example/browse/SCRUM-1”",
        "x.example/browse/SCRUM-1",
        "[SCRUM-1](https://x.example/browse/SCRUM-1)",
        "https://x.example/jira/software/projects/SCRUM/boards/1?selectedIssue=SCRUM-1",
        "https://x.example/jira/software/projects/SCRUM/boards/1?view=list&selectedIssue=SCRUM-1#top",
        "https://x.example/jira/software/projects/SCRUM/boards/1?view=list&amp;selectedIssue=SCRUM-1",
        "https://x.example/jira/software/c/projects/SCRUM/issues/SCRUM-1?jql=a",
    ] {
        assert_eq!(read(url), ["SCRUM-1"], "{url:?}");
    }
    for url in [
        "https://x.example/browse/SCRUM",
        "https://x.example/browse/",
        "https://x.example/",
        "https://x.example/SCRUM-1",
        "https://x.example/?next=/browse/SCRUM-1",
        "https://github.com/o/r/issues/12",
        "https://",
    ] {
        let shown = shorten(url, MAX_SHOWN);
        assert_eq!(read(url), [format!("<{shown}>")], "{url:?}");
    }
}

#[test]
fn a_key_is_found_in_what_slack_wraps() {
    for wrapped in [
        "<https://x.example/browse/SCRUM-1|SCRUM-1>",
        "<https://x.example/browse/SCRUM-1>",
        "<https://x.example/browse/SCRUM-1?a=1&amp;b=2|SCRUM-1: Sign-up, and more>",
        "<https://x.example/boards/1?a=1&amp;selectedIssue=SCRUM-1>",
        "<https://x.example/some/page|scrum-1>",
        "(<https://x.example/browse/SCRUM-1|SCRUM-1>).",
        "*<https://x.example/browse/SCRUM-1|SCRUM-1>*,",
        "&lt;https://x.example/browse/SCRUM-1&gt;",
    ] {
        assert_eq!(read(wrapped), ["SCRUM-1"], "{wrapped:?}");
    }
    assert_eq!(
        read("<https://x.example/browse/A-1|A-1><https://x.example/browse/B-2|B-2>c-3"),
        ["A-1", "B-2", "C-3"]
    );
    assert_eq!(
        read("A-1<https://x.example/browse/B-2> foo<https://x.example/browse/C-3>"),
        ["A-1", "B-2", "<foo>", "C-3"]
    );
}

#[test]
fn links_of_every_kind_lead_to_their_issue() {
    for link in [
        "https://x.example/servicedesk/customer/portal/7/SCRUM-1?created=true",
        "https://x.example/jira/servicedesk/projects/SCRUM/queues/custom/19/SCRUM-1",
        "https://x.example/projects/SCRUM/queues/issue/SCRUM-1",
        "https://x.example/servicedesk/agent/SCRUM/queue/19/issue/SCRUM-1",
        "https://x.example/secure/RapidBoard.jspa?rapidView=1&view=detail&selectedIssue=SCRUM-1",
        "https://x.example/jira/core/projects/SCRUM/board?filter=a%20b&selectedIssue=scrum-1#list",
        "https://x.example/plugins/servlet/mobile#issue/SCRUM-1",
        "https://x.example/i#browse/SCRUM-1?filter=2",
        "https://x.example/Browse/SCRUM-1",
        "https://x.example/secure/ViewIssue.jspa?key=SCRUM-1",
        "https://x.example/servicedesk/customer/user/login?destination=portal%2F7%2FSCRUM-1",
        "https://x.example/login?destination=%252Fbrowse%252FSCRUM-1",
        "https://x.example/browse/SCRUM-1%20",
        "https://x.example/browse/SCRUM%2D1",
        "//x.example/browse/SCRUM-1",
    ] {
        assert_eq!(read(link), ["SCRUM-1"], "{link}");
        if link.starts_with("https:") {
            assert_eq!(read(&format!("<{}>", link.replace('&', "&amp;"))), ["SCRUM-1"], "{link}");
        }
    }
}

#[test]
fn a_link_to_another_site_is_none_of_ours() {
    let site = |address: &str, typed: &str| {
        let words = parse_for(typed, Some(&Site::at(address))).unwrap();
        crate::Reply::to_caller().lines(words.lines(|key| spans![key.as_str()])).preview()
    };
    let (cloud, own) = ("https://x.atlassian.net", "http://10.0.0.1:8080/jira/");
    for (address, link) in [
        (cloud, "https://X.atlassian.net:443/browse/A-1"),
        (cloud, "x.atlassian.net/browse/A-1"),
        (cloud, "/browse/A-1"),
        (cloud, "A-1"),
        (cloud, "https://ada@x.atlassian.net./jira/dashboards/1?selectedIssue=A-1"),
        (cloud, "<https://x.atlassian.net/jira/people/search|A-1>"),
        (cloud, "https://x.atlassian.net/si/jira.issueviews:issue-html/A-1/A-1.html"),
        (own, "http://10.0.0.1:8080/jira/browse/A-1"),
        (own, "[A-1](http://10.0.0.1:8080/jira/browse/A-1)"),
    ] {
        assert_eq!(site(address, link), "A-1", "{link}");
    }
    for (address, link) in [
        (cloud, "https://y.atlassian.net/browse/A-1"),
        (cloud, "<https://y.atlassian.net/browse/A-1|A-1>"),
        (cloud, "https://y.atlassian.net/jira/dashboards/10"),
        (cloud, "https://x.atlassian.net@y.example/browse/A-1"),
        (cloud, "https://x.atlassian.net.y.example/browse/A-1"),
        (cloud, "y.example/browse/A-1"),
        (cloud, "//y.example/browse/A-1"),
        (cloud, "https://y.example/jira/software/projects/A/boards/2?selectedIssue=A-1"),
        (own, "http://10.0.0.1/jira/browse/A-1"),
        (own, "http://10.0.0.1:8080/jira2/browse/A-1"),
        (own, "http://10.0.0.1:8080/browse/A-1"),
    ] {
        assert_eq!(site(address, link), "That link is to another Jira site.", "{link}");
    }
    for (link, shown) in [
        ("<https://wiki.y.example/notes/4|A-1>", "https://wiki.y.example/notes/4"),
        ("https://x.atlassian.net/wiki/A-1", "https://x.atlassian.net/wiki/A-1"),
        ("https://y.atlassian.net/wiki/A-1", "https://y.atlassian.net/wiki/A-1"),
    ] {
        assert_eq!(site(cloud, link), format!("`{shown}` is not an issue key"));
    }
    let words = parse_for("A-1 https://y.example/browse/A-2", Some(&Site::at(cloud))).unwrap();
    assert_eq!(
        words.explain(RunError::failed("Jira is down.")),
        RunError::failed("Jira is down.\nThat link is to another Jira site.")
    );
}

#[test]
fn mentions_are_no_keys_whatever_they_are_called() {
    assert_eq!(
        read("<@U1|scrum-1> <#C1|scrum-2> <!channel> <mailto:a@b.example|scrum-3>"),
        ["<@U1>", "<#C1>", "<!channel>", "<mailto:a@b.example>"]
    );
}

#[test]
fn quotes_and_brackets_around_a_key_are_dropped() {
    for word in [
        "`SCRUM-1`",
        "\"SCRUM-1\"",
        "'SCRUM-1'",
        "“SCRUM-1”",
        "„SCRUM-1“",
        "‘SCRUM-1’",
        "«SCRUM-1»",
        "(SCRUM-1)",
        "[SCRUM-1]",
        "[SCRUM-1],",
        "{SCRUM-1}",
        "<SCRUM-1>",
        "&lt;SCRUM-1&gt;",
        "SCRUM-1.",
        "SCRUM-1:",
        "SCRUM-1!",
        "SCRUM-1?",
        "SCRUM-1…",
        "*SCRUM-1*",
        "_SCRUM-1_",
        "~SCRUM-1~",
        "#SCRUM-1",
        "\u{200b}SCRUM-1\u{feff}",
        "```SCRUM-1```",
    ] {
        assert_eq!(read(word), ["SCRUM-1"], "{word:?}");
    }
    assert_eq!(read("<SCRUM-1 SCRUM-2>"), ["SCRUM-1", "SCRUM-2"]);
}

#[test]
fn what_jira_cannot_have_made_is_no_key() {
    for word in [
        "foo!",
        "SCRUM",
        "SCRUM-",
        "-1",
        "123",
        "SCRUM-0",
        "SCRUM-0123",
        "1SCRUM-1",
        "SCRUM-1-2",
        "SCRUM-1a",
        "SCRUM--1",
        "SCRUM–-1",
        "SCRUM-+1",
        "SCRUM-١",
        "ÄB-1",
        "ſcrum-1",
        "SC RUM-1x",
        "SCRUM-1234567890123456789",
        "SCRUM/1",
        "SCRUM-1's",
        "-",
        "&",
        "...",
        "🦀",
        "SCRUM123",
        "<",
        ">",
        "<>",
        "<|>",
        "<@>x",
    ] {
        assert!(read(word).iter().all(|shown| shown.starts_with('<')), "{word:?}: {:?}", read(word));
    }
    assert_eq!(read(&format!("{}-1", "A".repeat(98))), [format!("{}-1", "A".repeat(98))]);
    assert_eq!(read(&format!("{}-1", "A".repeat(99))), [format!("<{}…>", "A".repeat(39))]);
}

#[test]
fn a_bad_word_keeps_its_place_and_is_shown_cut() {
    let words = parse(&format!("A-1 foo! {} B-2", "é".repeat(1000))).unwrap();
    let lines = words.lines(|key| spans![key.as_str()]);
    let reply = crate::Reply::to_caller().lines(lines).preview();
    let cut = "é".repeat(39);
    assert_eq!(reply, format!("A-1\n`foo!` is not an issue key\n`{cut}…` is not an issue key\nB-2"));
    assert_eq!(words.keys(), ["A-1", "B-2"]);
}

#[test]
fn entities_are_decoded_once() {
    assert_eq!(read("a&amp;b &amp;lt; x&y & &amp"), ["<a&b>", "<&lt>", "<x&y>", "<&>", "<&amp>"]);
}

#[test]
fn a_failure_also_names_the_words_that_are_no_keys() {
    let words = parse("A-1 foo! bar").unwrap();
    assert_eq!(
        words.explain(RunError::failed("Jira is down.")),
        RunError::failed("Jira is down.\n“foo!” is not an issue key\n“bar” is not an issue key")
    );
    assert_eq!(
        parse("A-1").unwrap().explain(RunError::failed("Jira is down.")),
        RunError::failed("Jira is down.")
    );
    assert_eq!(words.explain(RunError::usage("No.")), RunError::usage("No."));
}

#[test]
fn a_command_takes_one_to_fifty_keys() {
    let keys = |count: usize| (1..=count).map(|number| format!("A-{number} a-{number},")).collect::<String>();
    assert_eq!(read(&keys(50)).len(), MAX_KEYS);
    assert_eq!(usage(&keys(51)), "You can use up to 50 keys at a time; you entered 51.");
    assert_eq!(usage(&keys(61)), "You can use up to 50 keys at a time; you entered 61.");
    assert_eq!(usage(&keys(200)), "You can use up to 50 keys at a time; you entered 200.");
    assert_eq!(usage(&keys(30_000)), "You can use up to 50 keys at a time; you entered more than 200.");
    for nothing in ["", "  ", ", ;\n", "•"] {
        assert_eq!(usage(nothing), "Include at least one issue key, such as SCRUM-123.", "{nothing:?}");
    }
}

/// xorshift64: the same texts in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn whatever_is_typed_each_word_is_answered_once_and_in_order() {
    const PIECES: &[&str] = &[
        "SCRUM-1",
        "a-2",
        "-",
        "A",
        "7",
        "0",
        "/browse/",
        "https://",
        "http://x.example/browse/B-3",
        "?selectedIssue=",
        "#",
        "&",
        "&amp;",
        "&lt;",
        "&gt;",
        "<",
        ">",
        "|",
        "@U1",
        "!here",
        " ",
        "  ",
        ",",
        ";",
        "\n",
        "•",
        "“",
        "`",
        "…",
        "é",
        "１",
        "\u{200b}",
        "\u{202e}",
        "\0",
        "🦀",
        "İ",
        "ß",
        "<https://x.example/browse/C-4|C-4>",
        "%2D",
        "_",
        "(",
    ];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..20_000 {
        let text: String = (0..random.below(30)).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let words = match parse(&text) {
            Ok(words) => words,
            Err(RunError::Usage(_)) => continue,
            Err(RunError::Failed(message)) => panic!("{text:?}: {message}"),
        };
        assert!((1..=MAX_KEYS).contains(&words.0.len()), "{text:?}");
        assert_eq!(words.lines(|key| spans![key.as_str()]).len(), words.0.len(), "{text:?}");
        for (index, word) in words.0.iter().enumerate() {
            assert!(!words.0[..index].contains(word), "{text:?} repeats {word:?}");
            match word {
                Ok(found) => assert_eq!(key(found).as_ref(), Some(found), "{text:?}"),
                Err(NotAKey { shown, .. }) => {
                    assert!((1..=MAX_SHOWN).contains(&shown.chars().count()), "{text:?}: {shown:?}");
                    assert!(!shown.contains(char::is_whitespace), "{text:?}: {shown:?}");
                }
            }
        }
        // Between keys that stand apart, the text around each decides alone: reading them one by one
        // gives the same words in the same order.
        if !text.contains('<') {
            let parts = text.split(is_separator).filter(|part| !part.is_empty());
            let one_by_one: Vec<Word<'_>> = parts.flat_map(|part| parser::words(part, None)).collect();
            assert_eq!(parser::words(&text, None).collect::<Vec<_>>(), one_by_one, "{text:?}");
        }
    }
}

#[test]
fn a_command_about_one_issue_starts_with_it() {
    let leading = |text: &str| leading(text).map(|(key, rest)| [&*key, "|", &*rest].concat());
    assert_eq!(leading("  scrum-1  Ready\nfor review "), Ok("SCRUM-1|Ready\nfor review".to_owned()));
    assert_eq!(leading("(SCRUM-1)"), Ok("SCRUM-1|".to_owned()));
    assert_eq!(leading("SCRUM 12 Done"), Ok("SCRUM-12|Done".to_owned()));
    assert_eq!(leading("SCRUM – 12, Done"), Ok("SCRUM-12|, Done".to_owned()));
    assert_eq!(leading("SCRUM-1: Done - now"), Ok("SCRUM-1|Done - now".to_owned()));
    assert_eq!(leading("SCRUM-1 SCRUM-2 is the same"), Ok("SCRUM-1|SCRUM-2 is the same".to_owned()));
    assert_eq!(leading("SCRUM-1, and so on"), Ok("SCRUM-1|and so on".to_owned()));
    for several in [
        "SCRUM-1,SCRUM-2 Done",
        "SCRUM-1, SCRUM-2 Done",
        "SCRUM-1 , SCRUM-2",
        "SCRUM-1 and SCRUM-2 Done",
        "SCRUM-1 &amp; <https://x.example/browse/A-2> Done",
        "SCRUM-1|SCRUM-2 Done",
        "SCRUM-1..3 Done",
    ] {
        assert_eq!(leading(several), Err(RunError::usage("Enter one issue at a time.")), "{several}");
    }
    for bad in ["", "Ready SCRUM-1", "<@U1|SCRUM-1> Done"] {
        assert!(matches!(leading(bad), Err(RunError::Usage(_))), "{bad}");
    }
}
