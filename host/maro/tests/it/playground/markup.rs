//! Slack's markup and Block Kit as the page shows them.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::playground::Stage;

/// The HTML that a function of one of the page's scripts makes of a value.
async fn html(stage: &Stage, script: &str, function: &str, value: &Value) -> String {
    const SHOW: &str = r"
    const [script, name, value, done] = arguments;
    import(`/assets/${script}`).then((functions) => {
      const box = document.createElement('div');
      box.append(...functions[name](value, { press() {} }));
      done(box.innerHTML);
    }, (error) => done(String(error)));
    ";
    let arguments = [json!(script), json!(function), value.clone()];
    stage.browser.driver.execute_async(SHOW, &arguments).await.unwrap().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn markup_is_shown_as_slack_shows_it() {
    let Some(stage) = Stage::open().await else { return };
    let mut shown = Vec::new();
    for markup in [
        "*bold* _italic_ ~gone~ `co*d*e` *_both_*",
        "2*3*4 snake_case_name a ~ b ~ c * not bold * **",
        "<https://example.com/a_b?c=1&amp;d=2|a label> <https://example.com> <mailto:ada@example.com|Ada>",
        "<javascript:alert(1)|no link> <data:text/html,x|neither>",
        "<@U0GRACE0001> <@U0NOBODY001> <#C0RANDOM001> <!here> <!date^1^{date}|a date>",
        "&lt;b&gt; &amp;amp; <b>",
        "&gt; quoted\n&gt; twice\nnot quoted\n• one\n• two",
        "before\n```\n*as* it <is>\n```\nafter ```open",
    ] {
        shown.push(html(&stage, "mrkdwn.js", "mrkdwn", &json!(markup)).await);
    }
    assert_snapshot!(shown.join("\n"), @r#"
    <div><strong>bold</strong> <em>italic</em> <s>gone</s> <code>co*d*e</code> <strong><em>both</em></strong></div>
    <div>2*3*4 snake_case_name a ~ b ~ c * not bold * **</div>
    <div><a href="https://example.com/a_b?c=1&amp;d=2" target="_blank" rel="noopener noreferrer">a label</a> <a href="https://example.com" target="_blank" rel="noopener noreferrer">https://example.com</a> <a href="mailto:ada@example.com" target="_blank" rel="noopener noreferrer">Ada</a></div>
    <div>no link neither</div>
    <div><span class="mention">@grace</span> <span class="mention">@U0NOBODY001</span> <button type="button" class="mention">#random</button> <span class="mention loud">@here</span> a date</div>
    <div>&lt;b&gt; &amp;amp; b</div>
    <blockquote>quoted<br>twice</blockquote><div>not quoted</div><ul><li>one</li><li>two</li></ul>
    <div>before</div><pre>*as* it &lt;is&gt;</pre><div>after ```open</div>
    "#);
}

#[tokio::test]
async fn every_block_is_shown_and_an_unknown_one_named() {
    let Some(stage) = Stage::open().await else { return };
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
    let button = json!({ "type": "button", "action_id": "go", "text": plain("Go"), "style": "danger" });
    let rich = json!({ "type": "rich_text", "elements": [
        { "type": "rich_text_section", "elements": [{ "type": "text", "text": "bold", "style": { "bold": true } }] },
        { "type": "rich_text_list", "style": "ordered", "elements": [
            { "type": "rich_text_section", "elements": [{ "type": "user", "user_id": "U0GRACE0001" }] },
        ] },
    ] });
    let blocks = json!([
        { "type": "header", "text": plain("*Title*") },
        { "type": "section", "text": mrkdwn("*bold*"), "fields": [plain("one"), mrkdwn("_two_")], "accessory": button },
        { "type": "divider" },
        { "type": "context", "elements": [mrkdwn("small `print`")] },
        { "type": "actions", "block_id": "row", "elements": [button, { "type": "datepicker" }] },
        rich,
        { "type": "video" },
    ]);
    assert_snapshot!(html(&stage, "blocks.js", "blocks", &blocks).await.replace("><", ">\n<"), @r#"
    <h3 class="block header">*Title*</h3>
    <div class="block section">
    <div class="words said">
    <div>
    <strong>bold</strong>
    </div>
    <div class="fields">
    <div>one</div>
    <div>
    <div>
    <em>two</em>
    </div>
    </div>
    </div>
    </div>
    <div class="accessory">
    <button type="button" class="button danger" data-action-id="go">Go</button>
    </div>
    </div>
    <hr class="block">
    <div class="block context">
    <div>
    <div>small <code>print</code>
    </div>
    </div>
    </div>
    <div class="block actions">
    <button type="button" class="button danger" data-action-id="go">Go</button>
    <span class="unknown">datepicker can't be shown here</span>
    </div>
    <div class="block said">
    <div>
    <strong>bold</strong>
    </div>
    <ol>
    <li>
    <span class="mention">@grace</span>
    </li>
    </ol>
    </div>
    <p class="block unknown">A block of type video can't be shown here.</p>
    "#);
}
