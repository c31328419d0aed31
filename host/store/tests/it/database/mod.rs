//! Opening databases.

mod copies;
mod one_owner;
mod previous;
mod releases;
mod start;
mod upgrade;
