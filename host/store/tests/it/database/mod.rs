//! Opening databases.

mod previous;
mod releases;
mod start;
mod upgrade;
