//! The system's clock as SQLite reads it, in milliseconds since 1970.

macro_rules! now_ms {
    () => {
        "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)"
    };
}

pub(crate) use now_ms;
