//! `application/x-www-form-urlencoded` bodies, read strictly.
//!
//! The usual decoders replace what isn't UTF-8 with `U+FFFD`. Here it is an error, so that MARO never acts on
//! a text that nobody typed.

use std::borrow::Cow;

/// A body contains bytes that aren't UTF-8, plain or percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not valid UTF-8")]
pub struct NotUtf8;

/// The raw names and values of a body, in order. A field without `=` has an empty value.
pub fn raw_fields(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(|field| {
        match field.iter().position(|byte| *byte == b'=') {
            Some(equals) => (&field[..equals], &field[equals + 1..]),
            None => (field, &[][..]),
        }
    })
}

/// Turns `+` into a space and `%41` into its byte. Any other `%` stays as it is, as the URL Standard says.
/// Borrows if there is nothing to do.
///
/// # Errors
/// [`NotUtf8`] if the result isn't text.
pub fn decode(raw: &[u8]) -> Result<Cow<'_, str>, NotUtf8> {
    if !raw.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return std::str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| NotUtf8);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        decoded.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| NotUtf8)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_as_forms_have_them() {
        let fields: Vec<_> = raw_fields(b"a=1&&b=&c&d=x=y").collect();
        assert_eq!(
            fields,
            [(&b"a"[..], &b"1"[..]), (&b"b"[..], &b""[..]), (&b"c"[..], &b""[..]), (&b"d"[..], &b"x=y"[..])]
        );
        assert_eq!(raw_fields(b"").count(), 0);
    }

    #[test]
    fn values_are_decoded_or_refused() {
        assert_eq!(decode(b"plain"), Ok(Cow::Borrowed("plain")));
        assert_eq!(decode(b"track+A-1%2C%20B-2%0a%c3%A9").unwrap(), "track A-1, B-2\né");
        assert_eq!(decode("schön".as_bytes()).unwrap(), "schön");
        assert_eq!(decode(b"100%+of%zz%4").unwrap(), "100% of%zz%4");
        for bad in [&b"\xff"[..], b"%ff", b"%C3", b"a+%80"] {
            assert_eq!(decode(bad), Err(NotUtf8));
        }
    }

    #[test]
    fn plain_fields_decode_as_the_url_crate_decodes_them() {
        let body = b"text=track+SCRUM-1%2c%20%3Chttps%3A%2F%2Fx%2Fbrowse%2FA-1%7CA-1%3E&x=%E2%9C%93%";
        let ours: Vec<_> =
            raw_fields(body).map(|(name, value)| (decode(name).unwrap(), decode(value).unwrap())).collect();
        assert_eq!(ours, url::form_urlencoded::parse(body).collect::<Vec<_>>());
    }
}
