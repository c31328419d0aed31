//! Opening databases, and what networks, servers and poolers do to them.

mod backups;
mod copies;
mod failover;
mod late;
mod looked_at;
mod one_owner;
mod pooler;
mod previous;
mod releases;
mod secrets;
mod start;
mod upgrade;
