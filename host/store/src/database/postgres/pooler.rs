//! Whether a pooler that hands out single transactions, as PgBouncer does, stands between, and what a session is told
//! where one does and where none does.

use std::{sync::LazyLock, time::Duration};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

/// How long the server works on a statement at most.
const STATEMENT_LIMIT: Duration = Duration::from_secs(4);

/// What the server holds to, whatever becomes of MARO or of the network.
const LIMITS: [(&str, Duration); 3] = [
    ("statement_timeout", STATEMENT_LIMIT),
    ("lock_timeout", Duration::from_secs(2)),
    ("idle_in_transaction_session_timeout", Duration::from_secs(2)),
];

/// Set beside [`LIMITS`] on a session that MARO has to itself. Plans are made once: each statement is written so
/// that the plan for any arguments is the best one.
const DIRECT: [(&str, &str); 2] = [("plan_cache_mode", "force_generic_plan"), (DIRECT_MARK, "yes")];

/// Only a session that knows this setting was begun with all of them. Poolers drop or refuse settings.
const DIRECT_MARK: &str = "maro.direct";

/// Begins a transaction with [`LIMITS`], on a session that others use after it.
pub(super) static BEGIN_POOLED: LazyLock<String> = LazyLock::new(|| {
    let limit = |(name, limit): (&str, Duration)| format!("; SET LOCAL {name} = {}", limit.as_millis());
    LIMITS.map(limit).iter().fold("BEGIN".to_owned(), |begin, limit| begin + limit)
});

/// Whether a pooler stands between, by what the session says of `maro.direct`.
pub(super) fn stands_between(mark: Option<&str>) -> bool {
    mark.is_none_or(str::is_empty)
}

/// Without what poolers don't let through: how many digits floats have doesn't matter here.
pub(super) fn plain(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().extra_float_digits(None).application_name("maro").disable_statement_logging()
}

/// With MARO's settings. They win over those in the URL.
pub(super) fn direct(options: &PgConnectOptions) -> PgConnectOptions {
    let limits = LIMITS.map(|(name, limit)| (name, limit.as_millis()));
    plain(options).options(limits).options(DIRECT)
}
