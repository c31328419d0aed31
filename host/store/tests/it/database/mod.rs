//! Opening databases.

mod releases;
mod start;
mod upgrade;
