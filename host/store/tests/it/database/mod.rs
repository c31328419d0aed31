//! Opening databases, and what networks, servers and poolers do to them.

mod backups;
mod failover;
mod full_pooler;
mod inspection;
mod late_bytes;
mod pooler;
mod previous;
mod releases;
mod secrets;
mod sqlite_copies;
mod sqlite_lock;
mod sqlite_place;
mod start;
mod upgrade;
