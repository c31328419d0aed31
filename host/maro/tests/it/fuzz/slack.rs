//! Signatures, forms, interactions, events, markup and seals.

use std::time::Duration;

use arbtest::arbtest;
use jiff::Timestamp;
use maro_domain::{
    ids::ChannelId,
    issue::IssueKey,
    rich_text::{Inline, RichBlock, RichText},
    words::{Site, Word, words as words_of},
};
use maro_process::secret::Secret;
use maro_slack::{
    command::{self, CommandRequest},
    config::SlackConfig,
    events::event::{self, News, SlackEvent},
    interaction,
    outgoing::response_url::ResponseUrlPolicy,
    sealed::Sealer,
    signature::{self, SignatureVerifier},
    urlencoded,
    words::parse_markup,
};

use crate::fuzz::{Corpus, fuzz, fuzz_text};

const SECRET: &str = "a signing secret";

fn policy() -> ResponseUrlPolicy {
    ResponseUrlPolicy::new(&SlackConfig::new("https://slack.com/api".parse().unwrap(), Secret::new("xoxb-1")))
}

#[test]
fn only_the_right_signature_of_the_right_body_passes() {
    let (secret, now) = (Secret::new(SECRET), Timestamp::from_second(1_531_420_618).unwrap());
    let verifier = SignatureVerifier::new(&secret);
    let corpus = Corpus::read("commands");
    let times = Corpus(vec![b"1531420618".to_vec()]);
    arbtest(|random| {
        let body = corpus.altered(random)?;
        let time = if random.ratio(1, 2)? { times.0[0].clone() } else { times.altered(random)? };
        let signature = signature::sign(&secret, &String::from_utf8_lossy(&time), &body);
        let other = Corpus(vec![signature.clone().into_bytes()]).altered(random)?;
        let passes =
            |signature: &[u8], body: &[u8]| verifier.verify(Some(&time), Some(signature), body, now).is_ok();
        if time == times.0[0] {
            assert!(passes(signature.as_bytes(), &body));
        }
        if !other.eq_ignore_ascii_case(signature.as_bytes()) {
            assert!(!passes(&other, &body), "{}", String::from_utf8_lossy(&other));
        }
        let altered = corpus.altered(random)?;
        if altered != body {
            assert!(!passes(signature.as_bytes(), &altered));
        }
        Ok(())
    })
    .run();
}

#[test]
fn a_form_is_read_as_others_read_it_or_refused() {
    let policy = policy();
    fuzz("commands", |body| {
        let fields: Vec<_> = urlencoded::raw_fields(body).collect();
        let decoded: Result<Vec<_>, _> = fields
            .iter()
            .map(|(name, value)| {
                Ok::<_, urlencoded::NotUtf8>((urlencoded::decode(name)?, urlencoded::decode(value)?))
            })
            .collect();
        if let Ok(decoded) = decoded {
            assert_eq!(decoded, url::form_urlencoded::parse(body).collect::<Vec<_>>());
        }
        if let Ok(CommandRequest::Command(command)) = command::parse(body, &policy) {
            let once = |name: &str| {
                fields.iter().filter(|(other, _)| urlencoded::decode(other).unwrap() == name).count()
            };
            assert_eq!((once("text").min(1), once("channel_id"), once("user_id")), (once("text"), 1, 1));
            assert!(command.channel.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            if let Some(url) = &command.response_url {
                assert!(format!("{url:?}").len() < 8 * 1024);
            }
        }
        let _ = command::parse_json(&String::from_utf8_lossy(body), &policy);
    });
}

#[test]
fn an_interaction_is_the_same_over_http_and_socket_mode() {
    let policy = policy();
    fuzz_text("interactions", |json| {
        let over_socket = interaction::parse_json(json, &policy);
        let encoded: String = url::form_urlencoded::byte_serialize(json.as_bytes()).collect();
        let over_http = interaction::parse_form(format!("payload={encoded}").as_bytes(), &policy);
        assert_eq!(format!("{over_http:?}"), format!("{over_socket:?}"));
        let _ = interaction::parse_form(json.as_bytes(), &policy);
        if let Ok(received) = over_http {
            let _ = received.interaction.asker();
        }
    });
}

#[test]
fn an_event_names_ids_and_no_more_text_than_people_type() {
    let is_id = |channel: &ChannelId| {
        let id = channel.as_str();
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    fuzz("events", |body| match event::parse(body).ok().and_then(|event| event.news) {
        Some(News::OfChannel(event)) => assert!(!event.id.is_empty()),
        Some(News::Addressed(said)) => {
            assert!(is_id(&said.channel) && said.text.len() <= 16 * 1024 && !said.event_id.is_empty());
        }
        Some(News::Home(opened)) => assert!(is_id(&opened.conversation)),
        Some(News::Links(_) | News::Named(_)) | None => {}
    });
}

#[test]
fn a_shared_link_names_an_issue_of_this_site_or_none() {
    let site = Site::at("https://x.example");
    fuzz("shared_links", |body| {
        let Ok(SlackEvent { news: Some(News::Links(shared)), .. }) = event::parse(body) else { return };
        assert!((1..=20).contains(&shared.urls.len()) && !shared.message_ts.is_empty());
        for url in &shared.urls {
            assert!(url.len() <= 2_000);
            for word in words_of(url, Some(&site)) {
                let Word::Key(key) = word else { continue };
                assert!(IssueKey::parse(&key).is_ok(), "{key} of {url}");
                let number = key.rsplit('-').next().unwrap();
                assert!(url.contains(number) || url.contains('%'), "{key} of {url}");
            }
        }
    });
}

/// All words of a text, whatever their format.
fn words(text: &RichText) -> String {
    let inlines = |inlines: &[Inline]| -> String {
        inlines
            .iter()
            .map(|inline| match inline {
                Inline::Text { text, .. } => text.as_str(),
                Inline::Link { label, .. } => label,
                Inline::LineBreak => "\n",
            })
            .collect()
    };
    let blocks = text.blocks.iter().map(|block| match block {
        RichBlock::Paragraph(line) | RichBlock::Quote(line) => inlines(line),
        RichBlock::BulletList(items) | RichBlock::NumberedList(items) => {
            items.iter().map(|item| inlines(item)).collect()
        }
        RichBlock::Code(code) => code.clone(),
    });
    blocks.collect()
}

#[test]
fn markup_is_read_whatever_it_is_and_loses_no_word() {
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).collect::<String>();
    fuzz_text("markup", |text| {
        let (message, typed) = (parse_markup::parse_message(text), parse_markup::parse_typed(text));
        let _ = (parse_markup::to_title(text), parse_markup::to_typed(text));
        for read in [message, typed] {
            let is_clean = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
            assert!(words(&read).chars().all(is_clean), "{read:?}");
        }
        // Without links, mentions and entities, every letter stays.
        let plain: String = text.chars().filter(|letter| !"<>&".contains(*letter)).collect();
        assert_eq!(letters(&words(&parse_markup::parse_typed(&plain))), letters(&plain), "{plain:?}");
    });
}

#[test]
fn a_seal_that_was_altered_opens_nothing() {
    let sealer = Sealer::new(&Secret::new(SECRET));
    let now = Timestamp::from_second(1_531_420_618).unwrap();
    let hour = Duration::from_secs(3_600);
    let seals: Vec<_> = ["", "C024BE91L", "Sale of the quay 🦀"]
        .iter()
        .map(|value| sealer.seal("create", value, now, hour).unwrap().into_bytes())
        .collect();
    let corpus = Corpus(seals);
    crate::fuzz::fuzz_from(&corpus, |seal| {
        let is_ours = corpus.0.iter().any(|other| other == seal);
        let Ok(seal) = std::str::from_utf8(seal) else { return };
        assert_eq!(sealer.open::<String>("create", seal, now).is_ok(), is_ours, "{seal}");
        assert!(sealer.open::<String>("link", seal, now).is_err());
        assert!(sealer.open::<String>("create", seal, now + hour * 2).is_err());
    });
}
