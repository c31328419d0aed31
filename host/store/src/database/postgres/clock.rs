//! The server's clock, in milliseconds since 1970.

macro_rules! now_ms {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
    };
}

pub(crate) use now_ms;
