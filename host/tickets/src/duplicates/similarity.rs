//! How similar two summaries are, and which words of a summary are worth searching for.

use std::collections::BTreeSet;

/// The similarity, from 0 to 1, above which a ticket is shown as a possible duplicate.
///
/// On the labelled sample in the tests below, 0.57 shows nine of ten duplicates, and nine of ten that it shows are
/// duplicates. A lower value shows too many tickets about the same part of a product. Showing one too many
/// costs a glance and missing one costs a duplicate, so the value should be too low rather than too high.
pub(crate) const THRESHOLD: f64 = 0.57;

/// The similarity above which two words count as the same, so that plurals and typos don't matter.
const SAME_WORD: f64 = 0.9;

/// The most words that are searched for.
const MAX_SEARCH_WORDS: usize = 8;

/// The most words of a summary that count. Jira's longest one has some 130 of two letters.
const MAX_WORDS: usize = 48;

/// The most letters of a word that count.
const MAX_WORD_LENGTH: usize = 48;

/// Words that say nothing about what a ticket is about.
const STOP_WORDS: [&str; 48] = [
    "a", "about", "after", "an", "and", "are", "as", "at", "be", "by", "can", "cannot", "do", "does", "for",
    "from", "has", "have", "if", "in", "into", "is", "it", "its", "my", "no", "not", "of", "on", "or", "our",
    "should", "so", "some", "that", "the", "their", "there", "this", "to", "up", "was", "we", "when",
    "while", "with", "without", "you",
];

/// The words of a summary that count, each once.
pub(crate) struct Words(BTreeSet<String>);

impl Words {
    pub(crate) fn of(summary: &str) -> Self {
        Self(words(summary))
    }

    /// How similar two summaries are, from 0 to 1: the share of words that they have in common, compared by
    /// Jaro-Winkler similarity. Order, case and stop words don't matter.
    pub(crate) fn similarity(&self, other: &Self) -> f64 {
        let (one, other) = (&self.0, &other.0);
        let total = one.len() + other.len();
        if one.is_empty() || other.is_empty() {
            return 0.0;
        }
        let shared = |from: &BTreeSet<String>, to: &BTreeSet<String>| -> f64 {
            from.iter().map(|word| best_match(word, to)).sum()
        };
        (shared(one, other) + shared(other, one)) / total as f64
    }
}

/// The similarity of the most similar word, or 0 if none counts as the same.
fn best_match(word: &str, words: &BTreeSet<String>) -> f64 {
    if words.contains(word) {
        return 1.0;
    }
    // Two pairs that share a letter share nothing.
    if word.chars().any(is_unspaced) {
        return 0.0;
    }
    let best = words.iter().map(|other| strsim::jaro_winkler(word, other)).fold(0.0, f64::max);
    if best >= SAME_WORD { best } else { 0.0 }
}

/// The words of a summary that are worth searching for, the longest first: they are the rarest.
pub(crate) fn search_words(summary: &str) -> Vec<String> {
    let mut words: Vec<_> = words(summary).into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.truncate(MAX_SEARCH_WORDS);
    words
}

/// Whether a script is written without spaces between words.
fn is_unspaced(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x31f0..=0x31ff
            | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9f | 0x20000..=0x3ffff
    )
}

/// A word as it counts. What is written without spaces is known by its pairs of letters, since nothing tells where its
/// words end.
fn parts(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let runs = letters.chunk_by(|one, other| is_unspaced(*one) == is_unspaced(*other));
    let parts = runs.flat_map(|run| match run {
        [first, _, ..] if is_unspaced(*first) => run.windows(2).map(|pair| pair.iter().collect()).collect(),
        run => vec![run.iter().collect::<String>()],
    });
    parts.collect()
}

/// Comparing two words takes as long as the product of their lengths. So both their number and their length are
/// bounded, whatever people write.
fn words(summary: &str) -> BTreeSet<String> {
    summary
        .split(|letter: char| !letter.is_alphanumeric())
        .flat_map(parts)
        .map(|word| word.chars().take(MAX_WORD_LENGTH).collect::<String>().to_lowercase())
        .filter(|word| word.chars().count() > 1 && !STOP_WORDS.contains(&word.as_str()))
        .take(MAX_WORDS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(one: &str, other: &str) -> f64 {
        Words::of(one).similarity(&Words::of(other))
    }

    #[test]
    fn what_is_compared_is_bounded() {
        let many: String = (0..10_000).map(|number| format!("word{number} ")).collect();
        assert_eq!(Words::of(&many).0.len(), MAX_WORDS);
        let Some(long) = Words::of(&"é".repeat(100_000)).0.pop_first() else { panic!("one word") };
        assert_eq!(long.chars().count(), MAX_WORD_LENGTH);
    }

    /// Pairs of summaries, and whether they are about the same thing.
    const SAMPLE: [(&str, &str, bool); 56] = [
        ("User authentication flow", "Authentication flow for users", true),
        ("Login page crashes on Safari", "Safari: login page crash", true),
        ("Login page crashes on Safari", "Crash on login page in Safari browser", true),
        ("Export report as PDF", "PDF export of reports", true),
        ("Export report as PDF", "Reports: export to PDF fails", true),
        ("Database migration times out", "Timeout in database migration", true),
        ("Database migration times out", "Database migration timeout", true),
        ("Dark mode for settings page", "Settings page: support dark mode", true),
        ("Add dark mode", "Dark mode", true),
        ("Typo on pricing page", "Pricing page has a typo", true),
        ("Upgrade to PostgreSQL 16", "PostgreSQL upgrade to version 16", true),
        ("Password reset mail is not sent", "Password reset email not sent", true),
        ("Password reset mail is not sent", "No mail is sent on password reset", true),
        ("Search returns archived projects", "Archived projects show up in search", true),
        ("Search returns archived projects", "Search shows archived projects", true),
        ("Rate limit the public API", "Public API needs rate limiting", true),
        ("Slow dashboard with many widgets", "Dashboard is slow with many widgets", true),
        ("Webhook retries after failure", "Retry failed webhooks", true),
        ("Notification sound cannot be muted", "Mute notification sounds", true),
        ("Invoice shows wrong VAT", "Wrong VAT on invoices", true),
        ("User authentication flow", "User profile picture upload", false),
        ("Login page crashes on Safari", "Login page redesign", false),
        ("Login page crashes on Safari", "Checkout crashes on Firefox", false),
        ("Export report as PDF", "Import contacts from CSV", false),
        ("Export report as PDF", "Report builder loses filters", false),
        ("Database migration times out", "Database backup to S3", false),
        ("Dark mode for settings page", "Settings page loses changes", false),
        ("Typo on pricing page", "Pricing page in German", false),
        ("Upgrade to PostgreSQL 16", "Upgrade to Node 22", false),
        ("Password reset mail is not sent", "Password strength meter", false),
        ("Search returns archived projects", "Archive projects in bulk", false),
        ("Rate limit the public API", "API documentation", false),
        ("Slow dashboard with many widgets", "Widget for open invoices", false),
        ("Webhook retries after failure", "Webhook for new comments", false),
        ("Notification sound cannot be muted", "Notifications by e-mail", false),
        ("Invoice shows wrong VAT", "Invoice as PDF", false),
        ("Add unit tests for parser", "Parser for CSV files", false),
        ("Mobile app: offline mode", "Mobile app: push messages", false),
        ("Remove feature flag new-nav", "Add feature flag for billing", false),
        ("Keyboard shortcuts for board", "Board loads slowly", false),
        ("ログイン画面がSafariでクラッシュする", "Safariでログイン画面がクラッシュ", true),
        ("パスワード再設定メールが届かない", "パスワード再設定のメールが届きません", true),
        ("設定ページにダークモードを追加", "設定ページのダークモード追加", true),
        ("登录页面在手机上崩溃", "手机上登录页面崩溃", true),
        ("无法导出报告为PDF", "报告无法导出为PDF文件", true),
        ("支付页面加载缓慢", "支付页面加载很慢", true),
        ("เข้าสู่ระบบไม่ได้บนมือถือ", "บนมือถือเข้าสู่ระบบไม่ได้", true),
        ("密码重置邮件未发送", "未发送密码重置邮件", true),
        ("ログイン画面がSafariでクラッシュする", "ログイン画面のデザインを変更する", false),
        ("パスワード再設定メールが届かない", "パスワードの強度を表示する", false),
        ("登录页面在手机上崩溃", "登录页面重新设计", false),
        ("无法导出报告为PDF", "从CSV导入联系人", false),
        ("支付页面加载缓慢", "支付方式增加支付宝", false),
        ("密码重置邮件未发送", "密码强度提示", false),
        ("設定ページにダークモードを追加", "設定ページが変更を保存しない", false),
        ("เข้าสู่ระบบไม่ได้บนมือถือ", "เปลี่ยนสีปุ่มบนหน้าแรก", false),
    ];

    #[test]
    fn nine_of_ten_duplicates_are_found_and_nine_of_ten_found_are_duplicates() {
        let found = |pair: &&(&str, &str, bool)| similarity(pair.0, pair.1) >= THRESHOLD;
        let shown: Vec<_> = SAMPLE.iter().filter(found).collect();
        let right = shown.iter().filter(|pair| pair.2).count() as f64;
        let duplicates = SAMPLE.iter().filter(|pair| pair.2).count() as f64;
        let precision = right / shown.len() as f64;
        let recall = right / duplicates;
        let report: String = SAMPLE
            .iter()
            .map(|(one, other, same)| format!("{:.2} {same} {one} / {other}\n", similarity(one, other)))
            .collect();
        assert!(precision >= 0.9 && recall >= 0.9, "precision {precision:.2}, recall {recall:.2}\n{report}");
    }

    #[test]
    fn similarity_is_symmetric_and_bounded() {
        for (one, other, _) in SAMPLE {
            let there = similarity(one, other);
            assert!((0.0..=1.0).contains(&there), "{there}");
            assert!((there - similarity(other, one)).abs() < 1e-9);
        }
        assert!((similarity("Same words", "words, same!") - 1.0).abs() < 1e-9);
        assert!(similarity("", "anything").abs() < 1e-9);
        assert!(similarity("the of and", "the of and").abs() < 1e-9);
    }

    #[test]
    fn the_longest_words_are_searched_for() {
        assert_eq!(
            search_words("The login page of the authentication flow"),
            ["authentication", "login", "flow", "page"]
        );
        assert_eq!(search_words("!!! the ???"), [""; 0]);
        assert_eq!(
            search_words(&"alpha beta gamma delta epsilon zeta eta theta iota kappa".repeat(3)).len(),
            8
        );
    }
}
