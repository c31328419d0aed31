//! Looks at a database and changes nothing in it.

use sqlx::{PgConnection, Row as _};

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
    let Look { may_create, missing_migrations } = look(&mut connection, &place).await?;
    if missing_migrations > 0 && !may_create {
        anyhow::bail!(place.may_not_create());
    }
    Ok(Condition::Present { missing_migrations })
}

/// What there is of MARO's in a database.
pub(super) struct Look {
    may_create: bool,
    pub(super) missing_migrations: usize,
}

/// Looks without changing anything.
///
/// # Errors
/// One sentence for the operator.
pub(super) async fn look(connection: &mut PgConnection, place: &Place) -> anyhow::Result<Look> {
    let describe = |error| place.describe(error);
    let row = sqlx::raw_sql(LOOK).fetch_one(&mut *connection).await.map_err(describe)?;
    let (has_tables, may_create) = (row.get(0), row.get(1));
    let rows = match has_tables {
        true => sqlx::raw_sql(migrations::APPLIED).fetch_all(connection).await.map_err(describe)?,
        false => Vec::new(),
    };
    let applied = migrations::read_applied(&rows).map_err(describe)?;
    let missing = migrations::count_missing(&applied, &migrations::POSTGRES);
    let missing_migrations = missing.map_err(|error| place.describe_migration(error))?;
    Ok(Look { may_create, missing_migrations })
}

/// The rows of a query with two texts.
pub(in crate::database) async fn read_pairs(
    config: &PostgresConfig,
    query: &'static str,
) -> anyhow::Result<Vec<(String, String)>> {
    let Connected { mut connection, place, .. } = Connector::new(config).connect(CONNECT_LIMIT).await?;
    let rows =
        sqlx::raw_sql(query).fetch_all(&mut connection).await.map_err(|error| place.describe(error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
