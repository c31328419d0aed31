//! The bodies of HTTP requests and answers in recorded calls: as text if they are text, so that people can
//! read them and secrets can be found in them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

/// The call that has bodies.
const CALL: &str = "http.send";

/// The key of a body that isn't text.
const BASE64: &str = "base64";

/// The arguments or the answer of a call with its body as text, or as `{"base64": "…"}` if it isn't UTF-8.
pub(crate) fn as_text(call: &str, mut value: Value) -> Value {
    if let Some(body) = body(call, &mut value)
        && let Some(bytes) = numbers(body)
    {
        *body = match String::from_utf8(bytes) {
            Ok(text) => Value::String(text),
            Err(error) => json!({ BASE64: BASE64_STANDARD.encode(error.as_bytes()) }),
        };
    }
    value
}

/// The same with its body as a list of numbers, as the interface has it.
pub(crate) fn as_bytes(call: &str, mut value: Value) -> Value {
    if let Some(body) = body(call, &mut value) {
        let encoded = body.get(BASE64).and_then(Value::as_str);
        let bytes = encoded.and_then(|text| BASE64_STANDARD.decode(text).ok());
        if let Some(bytes) = bytes.or_else(|| body.as_str().map(|text| text.as_bytes().to_vec())) {
            *body = json!(bytes);
        }
    }
    value
}

/// Whether this is a body that isn't text, so has no words in it.
pub(super) fn is_encoded(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && fields.contains_key(BASE64)
}

fn body<'a>(call: &str, value: &'a mut Value) -> Option<&'a mut Value> {
    if call != CALL {
        return None;
    }
    let place = if value.get("request").is_some() { "/request/body" } else { "/Ok/body" };
    value.pointer_mut(place)
}

fn numbers(body: &Value) -> Option<Vec<u8>> {
    body.as_array()?.iter().map(|number| u8::try_from(number.as_u64()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_text_or_base64_and_comes_back_as_it_was() {
        for (bytes, shown) in [
            (json!(b"{\"a\":1}"), json!("{\"a\":1}")),
            (json!([]), json!("")),
            (json!([0xff, 0]), json!({ "base64": "/wA=" })),
        ] {
            for value in [json!({ "request": { "body": bytes } }), json!({ "Ok": { "body": bytes } })] {
                let text = as_text(CALL, value.clone());
                assert_eq!(text.pointer("/request/body").or(text.pointer("/Ok/body")), Some(&shown));
                assert_eq!(as_text(CALL, text.clone()), text);
                assert_eq!(as_bytes(CALL, text), value);
            }
        }
    }

    #[test]
    fn what_has_no_body_stays_as_it_is() {
        for (call, value) in [
            (CALL, json!({ "request": { "body": null } })),
            (CALL, json!({ "Err": { "kind": "TimedOut" } })),
            ("jira.search", json!({ "request": { "body": [1] } })),
        ] {
            assert_eq!(as_text(call, value.clone()), value);
            assert_eq!(as_bytes(call, value.clone()), value);
        }
    }
}
