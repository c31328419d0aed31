//! Why what Slack sent isn't an interaction.

/// Why a signed body isn't an interaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InteractionError {
    #[error("the body isn't valid UTF-8")]
    NotUtf8,
    #[error("the payload isn't JSON of the documented shape")]
    NotJson,
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is malformed")]
    Malformed { field: &'static str },
    #[error("the payload is longer than {max_bytes} bytes")]
    TooLong { max_bytes: usize },
    /// A request must not be readable in two ways.
    #[error("payload is there twice")]
    Repeated,
}
