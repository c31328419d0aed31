//! Looks at a database and changes nothing in it.

use sqlx::{PgConnection, Row as _, migrate::MigrateError};

use crate::{
    config::PostgresConfig,
    database::{
        inspection::Condition,
        migrations,
        postgres::{
            connect::{CONNECT_LIMIT, Connected, Connector},
            problem::Place,
        },
    },
};

/// Whether MARO has tables here, and whether it may create some. The simple protocol, which poolers pass on.
const LOOK: &str = "
    SELECT to_regclass('_sqlx_migrations') IS NOT NULL,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";

/// Looks whether MARO can use a database, and whether it takes changes.
///
/// # Errors
/// One sentence for the operator. It names the server, but never the password.
pub(in crate::database) async fn inspect(config: &PostgresConfig) -> anyhow::Result<Condition> {
    let Connected { mut connection, place, .. } = Connector::new(config).connect(CONNECT_LIMIT).await?;
    let missing_migrations = count_missing(&mut connection, &place).await?;
    if missing_migrations > 0 && !look(&mut connection, &place).await?.may_create {
        anyhow::bail!(place.may_not_create());
    }
    Ok(Condition::Present { missing_migrations })
}

struct Look {
    has_tables: bool,
    may_create: bool,
}

async fn look(connection: &mut PgConnection, place: &Place) -> anyhow::Result<Look> {
    let row = sqlx::raw_sql(LOOK).fetch_one(connection).await.map_err(|error| place.describe(error))?;
    Ok(Look { has_tables: row.get(0), may_create: row.get(1) })
}

/// How many migrations the database is missing.
///
/// # Errors
/// One sentence for the operator.
pub(super) async fn count_missing(connection: &mut PgConnection, place: &Place) -> anyhow::Result<usize> {
    let describe = |error| place.describe(error);
    let rows = match look(connection, place).await?.has_tables {
        true => sqlx::raw_sql(migrations::APPLIED).fetch_all(connection).await.map_err(describe)?,
        false => Vec::new(),
    };
    let applied = migrations::read_applied(&rows).map_err(describe)?;
    migrations::count_missing(&applied, &migrations::POSTGRES).map_err(|error: MigrateError| {
        let sentence = migrations::sentence(&error, &migrations::POSTGRES);
        anyhow::Error::new(error).context(sentence)
    })
}
