//! Reading answers whose size somebody else decides.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// Why an answer can't be read whole.
#[derive(Debug)]
pub enum BodyError {
    TooLarge,
    /// The connection broke off.
    Broken(reqwest::Error),
}

/// The whole body, if it has at most `max` bytes. No more than that is kept.
///
/// # Errors
/// [`BodyError`].
pub async fn read(mut response: Response, max: usize) -> Result<Bytes, BodyError> {
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(BodyError::TooLarge);
    }
    // Most answers are one chunk, which needs no copying.
    let first = next(&mut response, max).await?.unwrap_or_default();
    let Some(second) = next(&mut response, max - first.len()).await? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while let Some(chunk) = next(&mut response, max - body.len()).await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn next(response: &mut Response, max: usize) -> Result<Option<Bytes>, BodyError> {
    let chunk = response.chunk().await.map_err(BodyError::Broken)?;
    if chunk.as_ref().is_some_and(|chunk| chunk.len() > max) { Err(BodyError::TooLarge) } else { Ok(chunk) }
}

/// The first `max` bytes of the body; what can't be read counts as nothing.
pub async fn read_start(mut response: Response, max: usize) -> Vec<u8> {
    let mut start = Vec::new();
    while start.len() < max
        && let Ok(Some(chunk)) = response.chunk().await
    {
        start.extend_from_slice(&chunk);
    }
    start.truncate(max);
    start
}
