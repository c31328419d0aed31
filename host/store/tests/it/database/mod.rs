//! Opening databases.

mod copies;
mod looked_at;
mod one_owner;
mod previous;
mod releases;
mod start;
mod upgrade;
