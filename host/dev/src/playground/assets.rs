//! The page's files, embedded in the program.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! files {
    ($($name:literal: $kind:ident),* $(,)?) => {
        [$(($name, $kind, include_str!(concat!("assets/", $name)))),*]
    };
}

/// Name, type and content.
const FILES: [(&str, &str, &str); 21] = files![
    "api.js": SCRIPT,
    "blocks.css": CSS,
    "blocks.js": SCRIPT,
    "channel.js": SCRIPT,
    "combobox.js": SCRIPT,
    "composer.js": SCRIPT,
    "dom.js": SCRIPT,
    "fields.js": SCRIPT,
    "home.js": SCRIPT,
    "icon.svg": SVG,
    "jira.js": SCRIPT,
    "main.js": SCRIPT,
    "message.js": SCRIPT,
    "modal.js": SCRIPT,
    "mrkdwn.js": SCRIPT,
    "panes.css": CSS,
    "plugins.js": SCRIPT,
    "sidebar.js": SCRIPT,
    "state.js": SCRIPT,
    "style.css": CSS,
    "time.js": SCRIPT,
];

pub(super) async fn index() -> Response {
    answer(HTML, include_str!("assets/index.html"))
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, content)) => answer(kind, content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], content).into_response()
}
