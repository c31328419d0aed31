//! Looks at a database and changes nothing in it.

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Row as _, migrate::MigrateError,
    postgres::PgConnectOptions,
};

use crate::database::{
    inspection::Condition,
    migrations,
    postgres::{CONNECT_LIMIT, Place},
};
use maro_process::secret::Secret;

/// Whether MARO has tables here, whether it may create some, and whether changes are refused, as on a standby.
const LOOK: &str = "
    SELECT to_regclass('_sqlx_migrations') IS NOT NULL,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
        current_setting('transaction_read_only') = 'on'";

/// Looks whether MARO can use a database, and whether it takes changes.
///
/// # Errors
/// One sentence for the operator. It names the server, but never the password.
pub(in crate::database) async fn inspect(url: &Secret) -> anyhow::Result<Condition> {
    // The library's message may quote the URL.
    let options: PgConnectOptions =
        url.expose().parse().map_err(|_| anyhow::anyhow!("DATABASE_URL isn't a valid postgres:// URL."))?;
    let options = options.application_name("maro").disable_statement_logging();
    let place = Place(&options);
    match tokio::time::timeout(CONNECT_LIMIT, look(&options, &place)).await {
        Ok(looked) => looked,
        Err(_) => anyhow::bail!("{place} didn't respond within {} seconds.", CONNECT_LIMIT.as_secs()),
    }
}

async fn look(options: &PgConnectOptions, place: &Place<'_>) -> anyhow::Result<Condition> {
    let describe = |error| place.describe(error);
    let mut connection = options.connect().await.map_err(describe)?;
    // The simple protocol, which connection poolers pass on.
    let row = sqlx::raw_sql(LOOK).fetch_one(&mut connection).await.map_err(describe)?;
    let [has_tables, may_create, is_read_only]: [bool; 3] = [0, 1, 2].map(|column| row.get(column));
    let missing_migrations = count_missing(&mut connection, has_tables, place).await?;
    if is_read_only {
        anyhow::bail!("{place} takes no changes: it's a standby, or set to read-only.");
    }
    if missing_migrations > 0 && !may_create {
        let user = options.get_username();
        anyhow::bail!(
            "On {place}, the user {user:?} can't create tables: run GRANT CREATE ON SCHEMA public TO that user."
        );
    }
    connection.close().await.map_err(describe)?;
    Ok(Condition::Present { missing_migrations })
}

async fn count_missing(
    connection: &mut PgConnection,
    has_tables: bool,
    place: &Place<'_>,
) -> anyhow::Result<usize> {
    let describe = |error| place.describe(error);
    let rows = match has_tables {
        true => sqlx::raw_sql(migrations::APPLIED).fetch_all(connection).await.map_err(describe)?,
        false => Vec::new(),
    };
    let applied = migrations::read_applied(&rows).map_err(describe)?;
    migrations::count_missing(&applied, &migrations::POSTGRES).map_err(|error: MigrateError| {
        let sentence = migrations::sentence(&error, &migrations::POSTGRES);
        anyhow::Error::new(error).context(sentence)
    })
}
