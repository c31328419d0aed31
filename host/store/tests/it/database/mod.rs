//! Opening databases, and what networks, servers and poolers do to them.

mod failover;
mod late;
mod pooler;
mod secrets;
mod start;
mod upgrade;
