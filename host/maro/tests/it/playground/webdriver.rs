//! The few calls of the WebDriver protocol that driving a browser here takes.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maro_process::http::client::{self, ClientOptions, Trust};
use reqwest::Client;
use serde_json::{Value, json};

/// The name under which the protocol hands over an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser's session at a driver on this machine.
pub(crate) struct WebDriver {
    http: Client,
    /// Where the driver takes this session's commands.
    url: String,
    id: String,
}

/// An element of the page that is shown.
pub(crate) struct Element(String);

/// Why a command was not carried out, in the driver's words.
#[derive(Debug)]
pub(crate) struct WebDriverError(String);

impl WebDriverError {
    /// Whether the page has redrawn the element since it was found.
    pub(crate) fn is_stale(&self) -> bool {
        self.0.starts_with("stale element reference")
    }
}

impl fmt::Display for WebDriverError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<reqwest::Error> for WebDriverError {
    fn from(error: reqwest::Error) -> Self {
        Self(format!("{error:?}"))
    }
}

impl WebDriver {
    /// Has the driver at `port` start a browser.
    pub(crate) async fn open(port: u16, capabilities: Value) -> Result<Self, WebDriverError> {
        let http = client::build(&ClientOptions::new(Trust::Nobody))?;
        let drivers = format!("http://127.0.0.1:{port}/session");
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = post(&http, &drivers, &wanted).await?;
        let id = text(&session["sessionId"])?;
        Ok(Self { http, url: format!("{drivers}/{id}"), id })
    }

    /// The driver's name for this session.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Goes to a page and waits until it has loaded.
    pub(crate) async fn go(&self, url: &str) -> Result<(), WebDriverError> {
        self.post("url", &json!({ "url": url })).await.map(drop)
    }

    /// All elements that match a CSS selector, in the page's order.
    pub(crate) async fn find_all(&self, selector: &str) -> Result<Vec<Element>, WebDriverError> {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("elements", &wanted).await?;
        found.as_array().into_iter().flatten().map(Element::parse).collect()
    }

    /// The first element that matches a CSS selector.
    pub(crate) async fn find(&self, selector: &str) -> Result<Element, WebDriverError> {
        let wanted = json!({ "using": "css selector", "value": selector });
        Element::parse(&self.post("element", &wanted).await?)
    }

    pub(crate) async fn click(&self, element: &Element) -> Result<(), WebDriverError> {
        self.post(&format!("element/{}/click", element.0), &json!({})).await.map(drop)
    }

    pub(crate) async fn send_keys(&self, element: &Element, keys: &str) -> Result<(), WebDriverError> {
        self.post(&format!("element/{}/value", element.0), &json!({ "text": keys })).await.map(drop)
    }

    /// Runs a script in the page, with `arguments`, and gives what it returns.
    pub(crate) async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value, WebDriverError> {
        self.post("execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// As [`Self::execute`], but gives what the script hands to the function that is its last argument.
    pub(crate) async fn execute_async(
        &self,
        script: &str,
        arguments: &[Value],
    ) -> Result<Value, WebDriverError> {
        self.post("execute/async", &json!({ "script": script, "args": arguments })).await
    }

    /// What the window shows, as PNG.
    pub(crate) async fn screenshot(&self) -> Result<Vec<u8>, WebDriverError> {
        let picture = answer(self.http.get(format!("{}/screenshot", self.url))).await?;
        BASE64_STANDARD.decode(text(&picture)?).map_err(|error| WebDriverError(error.to_string()))
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn chromium(&self, command: &str, parameters: &Value) -> Result<Value, WebDriverError> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn post(&self, command: &str, body: &Value) -> Result<Value, WebDriverError> {
        post(&self.http, &format!("{}/{command}", self.url), body).await
    }
}

impl Element {
    /// An element as the driver hands it over, also from a script.
    pub(crate) fn parse(value: &Value) -> Result<Self, WebDriverError> {
        text(&value[ELEMENT]).map(Self)
    }
}

async fn post(http: &Client, url: &str, body: &Value) -> Result<Value, WebDriverError> {
    answer(http.post(url).header("content-type", "application/json").body(body.to_string())).await
}

/// The value of the driver's answer, which also tells of errors in it.
async fn answer(request: reqwest::RequestBuilder) -> Result<Value, WebDriverError> {
    let response = request.send().await?;
    let succeeded = response.status().is_success();
    let body = response.bytes().await?;
    let mut answer: Value =
        serde_json::from_slice(&body).map_err(|error| WebDriverError(error.to_string()))?;
    let value = answer["value"].take();
    if succeeded {
        return Ok(value);
    }
    let said = |field: &str| value[field].as_str().unwrap_or("unknown").to_owned();
    Err(WebDriverError(format!("{}: {}", said("error"), said("message"))))
}

fn text(value: &Value) -> Result<String, WebDriverError> {
    let missing = || WebDriverError(format!("the driver answered {value}"));
    value.as_str().map(str::to_owned).ok_or_else(missing)
}
