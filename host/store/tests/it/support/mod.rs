//! What the tests need. The tests of `maro` use [`lossy_route`], [`postgres`] and [`raw`] too.

pub(crate) mod given;
pub(crate) mod held_route;
pub(crate) mod lossy_route;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod raw;
