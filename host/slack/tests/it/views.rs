//! Modals stay within Slack's limits, and other people's words do nothing in them.

use maro_domain::reply::{Block, Span};
use maro_slack::{
    outgoing::render::Mrkdwn,
    view::{
        View, ViewBlock,
        button::ViewButton,
        field::{FieldElement, FieldInput},
        input::{Choice, SelectInput, TextInput},
    },
};
use serde_json::Value;

use crate::support::{caller, channel, renderer, text};

fn mrkdwn(spans: Vec<Span>) -> Mrkdwn {
    renderer().mrkdwn(&[Block::Paragraph(spans)], &channel(), &caller())
}

/// The view's own fields, then one block per line.
fn block_by_block(view: &View) -> String {
    let mut view = view.to_json();
    let blocks = view["blocks"].take();
    let lines = std::iter::once(&view).chain(blocks.as_array().unwrap()).map(Value::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

/// The only block of a view.
fn block_of(block: impl Into<ViewBlock>) -> Value {
    View::modal("x", "x").with_block(block).to_json()["blocks"][0].clone()
}

#[test]
fn a_form_has_the_shape_that_slack_documents() {
    let view = View::modal("create_issue", "Create an issue")
        .with_submit("Create")
        .with_close("Cancel")
        .with_private_metadata("1.e30.AA")
        .with_block(
            SelectInput::external("project", "Project")
                .with_initial(Choice::new("SCRUM", "Scrum (SCRUM)"))
                .telling_changes(),
        )
        .with_block(SelectInput::fixed("priority", "Priority", vec![Choice::new("1", "High")]).optional())
        .with_block(TextInput::single_line("summary", "Summary").with_initial("Log in").with_max_length(255))
        .with_block(
            TextInput::multi_line("description", "Description")
                .optional()
                .with_hint("Slack's formatting works"),
        );
    insta::assert_snapshot!(block_by_block(&view), @r#"
    {"blocks":null,"callback_id":"create_issue","close":{"emoji":false,"text":"Cancel","type":"plain_text"},"private_metadata":"1.e30.AA","submit":{"emoji":false,"text":"Create","type":"plain_text"},"title":{"emoji":false,"text":"Create an issue","type":"plain_text"},"type":"modal"}
    {"block_id":"project","dispatch_action":true,"element":{"action_id":"project","initial_option":{"text":{"emoji":false,"text":"Scrum (SCRUM)","type":"plain_text"},"value":"SCRUM"},"min_query_length":0,"type":"external_select"},"label":{"emoji":false,"text":"Project","type":"plain_text"},"optional":false,"type":"input"}
    {"block_id":"priority","element":{"action_id":"priority","options":[{"text":{"emoji":false,"text":"High","type":"plain_text"},"value":"1"}],"type":"static_select"},"label":{"emoji":false,"text":"Priority","type":"plain_text"},"optional":true,"type":"input"}
    {"block_id":"summary","element":{"action_id":"summary","initial_value":"Log in","max_length":255,"multiline":false,"type":"plain_text_input"},"label":{"emoji":false,"text":"Summary","type":"plain_text"},"optional":false,"type":"input"}
    {"block_id":"description","element":{"action_id":"description","max_length":3000,"multiline":true,"type":"plain_text_input"},"hint":{"emoji":false,"text":"Slack's formatting works","type":"plain_text"},"label":{"emoji":false,"text":"Description","type":"plain_text"},"optional":true,"type":"input"}
    "#);
}

#[test]
fn duplicates_are_sections_with_a_button_each() {
    let view = View::modal("create_issue_anyway", "Similar issues")
        .with_submit("Create anyway")
        .with_notify_on_close()
        .with_block(ViewBlock::section_with_button(
            mrkdwn(vec![text("<!channel> & more")]),
            ViewButton::new("link_duplicate", "Link this one", "1.e30.AA"),
        ))
        .with_block(ViewBlock::Context(vec![mrkdwn(vec![text("Open, nobody's")])]))
        .with_block(ViewBlock::Divider)
        .with_block(ViewBlock::Actions(vec![ViewButton::new("retry_stories", "Try again", "")]));
    insta::assert_snapshot!(block_by_block(&view), @r#"
    {"blocks":null,"callback_id":"create_issue_anyway","notify_on_close":true,"submit":{"emoji":false,"text":"Create anyway","type":"plain_text"},"title":{"emoji":false,"text":"Similar issues","type":"plain_text"},"type":"modal"}
    {"accessory":{"action_id":"link_duplicate","text":{"emoji":false,"text":"Link this one","type":"plain_text"},"type":"button","value":"1.e30.AA"},"text":{"text":"&lt;!channel&gt; &amp; more","type":"mrkdwn","verbatim":true},"type":"section"}
    {"elements":[{"text":"Open, nobody's","type":"mrkdwn","verbatim":true}],"type":"context"}
    {"type":"divider"}
    {"elements":[{"action_id":"retry_stories","text":{"emoji":false,"text":"Try again","type":"plain_text"},"type":"button"}],"type":"actions"}
    "#);
}

#[test]
fn a_view_with_inputs_can_be_submitted() {
    let view = View::modal("x", "x").with_block(TextInput::single_line("a", "A"));
    assert_eq!(view.to_json()["submit"]["text"], "Submit");
    assert_eq!(View::modal("x", "x").with_block(ViewBlock::Divider).to_json().get("submit"), None);
}

#[test]
fn texts_are_cut_at_slacks_limits() {
    let long = "word ".repeat(1_000);
    let view = View::modal(long.replace(' ', ""), &*long).with_submit(&*long).with_close(&*long).to_json();
    for title in ["title", "submit", "close"] {
        let text = view[title]["text"].as_str().unwrap();
        assert_eq!(text.chars().count(), 24, "{text}");
        assert!(text.ends_with('…'), "{text}");
    }
    assert_eq!(view["callback_id"].as_str().unwrap().len(), 255);

    let input =
        block_of(TextInput::multi_line("i".repeat(300), &*long).with_initial(&*long).with_max_length(100));
    assert_eq!(input["block_id"].as_str().unwrap().len(), 255);
    assert_eq!(input["block_id"], input["element"]["action_id"]);
    assert_eq!(input["label"]["text"].as_str().unwrap().chars().count(), 2_000);
    assert_eq!(input["element"]["initial_value"].as_str().unwrap().chars().count(), 100);
    let unbounded = block_of(TextInput::multi_line("a", "A").with_max_length(usize::MAX));
    assert_eq!(unbounded["element"]["max_length"], 3_000);

    let section = block_of(ViewBlock::section(mrkdwn(vec![text(long.as_str())])));
    assert!(section["text"]["text"].as_str().unwrap().encode_utf16().count() <= 3_000);
}

#[test]
fn a_section_is_cut_around_links_and_entities() {
    let link = Span::Link { url: "https://example.com/a".to_owned(), label: "a link".to_owned() };
    for filler in 2_960..3_001 {
        let spans = vec![text("x".repeat(filler)), link.clone(), text("&".repeat(20))];
        let section = block_of(ViewBlock::section(mrkdwn(spans)));
        let shown = section["text"]["text"].as_str().unwrap();
        assert!(shown.encode_utf16().count() <= 3_000);
        assert_eq!(shown.matches('<').count(), shown.matches('>').count(), "{filler}");
        assert_eq!(shown.matches('&').count(), shown.matches("&amp;").count(), "{filler}");
    }
}

#[test]
fn what_slack_would_refuse_is_left_out() {
    let mut view = View::modal("x", "\n").with_private_metadata("x".repeat(3_001));
    view.push(ViewBlock::Context(vec![]));
    view.push(ViewBlock::Actions(vec![]));
    for _ in 0..120 {
        view.push(ViewBlock::Divider);
    }
    let view = view.to_json();
    assert_eq!(view["blocks"].as_array().unwrap().len(), 100);
    assert_eq!(view["blocks"][0]["type"], "divider");
    assert_eq!(view.get("private_metadata"), None);
    assert_eq!(view["title"]["text"], "–");

    let button = ViewButton::new("a", "A", "x".repeat(2_001));
    assert_eq!(
        block_of(ViewBlock::Actions(vec![button.clone(); 30]))["elements"].as_array().unwrap().len(),
        25
    );
    assert_eq!(block_of(ViewBlock::Actions(vec![button]))["elements"][0].get("value"), None);

    let elsewhere =
        SelectInput::fixed("a", "A", vec![Choice::new("1", "One")]).with_initial(Choice::new("2", "Two"));
    assert_eq!(block_of(elsewhere)["element"].get("initial_option"), None);

    // What an option is called may be cut on its way through Slack.
    let long = Choice::new("1", "x".repeat(100));
    let cut = Choice::new("1", format!("{}…", "x".repeat(74)));
    let select = SelectInput::fixed("a", "A", vec![long.clone()]).with_initial(cut.clone());
    let element = block_of(select)["element"].clone();
    assert_eq!(element["initial_option"], element["options"][0]);
    let several = FieldElement::Several { choices: vec![long], initial: vec![cut] };
    let element = block_of(FieldInput::new("a", "A", several))["element"].clone();
    assert_eq!(element["initial_options"][0], element["options"][0]);

    let channel = SelectInput::channel("a", "A");
    let element = block_of(channel.clone().with_initial(Choice::new("C1", "C1")))["element"].clone();
    assert_eq!(
        (element["initial_conversation"].as_str(), element.get("default_to_current_conversation")),
        (Some("C1"), None)
    );
    assert_eq!(block_of(channel)["element"]["default_to_current_conversation"], true);
}
