//! What answers in a service's place: login pages, gates, and addresses that lead elsewhere.

use reqwest::{Response, header::LOCATION};

/// How much of a host's name is told.
const MAX_HOST: usize = 100;

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// To the same address, over TLS.
    ToTls,
    /// To another page of the same host, such as one that asks to sign in.
    Within,
    /// To another host: its name alone, since the rest of the address may hold a session.
    To(String),
    Nowhere,
}

/// Whether a body is a web page, where a service would answer in JSON.
pub fn is_web_page(body: &[u8]) -> bool {
    // A mark that some servers begin with.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// Where a redirect leads.
pub fn redirect(response: &Response) -> Redirect {
    let from = response.url();
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(to) = location.and_then(|location| from.join(location).ok()) else { return Redirect::Nowhere };
    match to.host_str() {
        None => Redirect::Nowhere,
        host if host != from.host_str() => {
            Redirect::To(host.unwrap_or_default().chars().take(MAX_HOST).collect())
        }
        _ if from.scheme() == "http" && to.scheme() == "https" => Redirect::ToTls,
        _ => Redirect::Within,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_from_json() {
        for page in ["<html>", "\n  <!DOCTYPE html>", "\u{feff}<html>", "<?xml version=\"1.0\"?>"] {
            assert!(is_web_page(page.as_bytes()), "{page}");
        }
        for json in ["", "{}", "[1]", "null", "\"<html>\""] {
            assert!(!is_web_page(json.as_bytes()), "{json}");
        }
    }
}
