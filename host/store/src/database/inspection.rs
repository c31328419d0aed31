//! What is found out about a database without changing anything in it.

/// A database that MARO can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There's no file yet. MARO will create it when it starts.
    Absent,
    /// MARO will apply this many migrations when it starts.
    Present { missing_migrations: usize },
}
