//! Opening databases.

mod start;
mod upgrade;
