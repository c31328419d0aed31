//! What is found out about a database without changing anything in it.

/// A database that MARO can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There's no file yet. MARO will create it when it starts.
    Absent,
    /// MARO will apply this many migrations when it starts.
    Present { missing_migrations: usize },
}

/// How a pool of connections is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that calls use, or that are being made for them.
    pub in_use: usize,
    pub idle: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// How many connections there may be.
    pub max: usize,
}
