//! Looks at a database and changes nothing in it.

use sqlx::{PgConnection, Row as _};

use crate::{
    config::PostgresConfig,
    database::{
        inspection::Condition,
        migrations,
        postgres::{
            connect::{CONNECT_LIMIT, Connected, Connector},
            diagnosis::Place,
        },
    },
};

/// Whether MARO has tables here, whether it may create some, the schema where they would be, how texts are encoded, and
/// which of MARO's tables that exist it may not use. The simple protocol, which poolers pass on.
fn question() -> String {
    // Names that our own migrations write, so there is nothing to escape.
    let tables = migrations::tables(&migrations::POSTGRES);
    let names: Vec<_> = tables.iter().map(|table| format!("('{table}')")).collect();
    format!(
        "SELECT to_regclass('_sqlx_migrations') IS NOT NULL,
            coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
            current_schema()::text,
            current_setting('server_encoding'),
            (SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM (VALUES {}) AS tables (name)
                WHERE to_regclass(name) IS NOT NULL AND NOT (
                    has_table_privilege(to_regclass(name), 'SELECT')
                    AND has_table_privilege(to_regclass(name), 'INSERT')
                    -- What some operators take away on purpose isn't missed elsewhere.
                    AND (name <> '{CHANGED}' OR has_table_privilege(to_regclass(name), 'UPDATE')
                        AND has_table_privilege(to_regclass(name), 'DELETE')))),
            CASE WHEN to_regclass('{CHANGED}') IS NULL THEN true
                ELSE coalesce(has_sequence_privilege(pg_get_serial_sequence('{CHANGED}', 'id'), 'USAGE'), true) END",
        names.join(", ")
    )
}

/// The table in which every command changes rows.
const CHANGED: &str = "channel_tracked_issues";

/// In which all texts can be stored. The latter stores them as they come.
const ENCODINGS: [&str; 2] = ["UTF8", "SQL_ASCII"];

/// Looks whether MARO can use a database, and whether it takes changes.
///
/// # Errors
/// One sentence for the operator. It names the server, but never the password.
pub(in crate::database) async fn inspect(config: &PostgresConfig) -> anyhow::Result<Condition> {
    let Connected { mut connection, place, .. } = Connector::new(config).connect(CONNECT_LIMIT).await?;
    let Look { may_create, missing_migrations, schema, problem } = look(&mut connection, &place).await?;
    if let Some(problem) = problem {
        anyhow::bail!(problem);
    }
    if missing_migrations > 0 && !may_create {
        anyhow::bail!(schema.map_or_else(|| place.has_no_schema(), |schema| place.may_not_create(&schema)));
    }
    Ok(Condition::Present { missing_migrations })
}

/// What there is of MARO's in a database.
pub(super) struct Look {
    may_create: bool,
    pub(super) missing_migrations: usize,
    /// Where tables are created, if anywhere.
    schema: Option<String>,
    /// What will keep MARO from working, in a sentence.
    pub(super) problem: Option<String>,
}

/// Looks without changing anything.
///
/// # Errors
/// One sentence for the operator.
pub(super) async fn look(connection: &mut PgConnection, place: &Place) -> anyhow::Result<Look> {
    let describe = |error| place.describe(error);
    let question = sqlx::AssertSqlSafe(question());
    let row = sqlx::raw_sql(question).fetch_one(&mut *connection).await.map_err(describe)?;
    let (has_tables, may_create) = (row.get(0), row.get(1));
    let (schema, encoding): (Option<String>, String) = (row.get(2), row.get(3));
    let (forbidden, may_count): (String, bool) = (row.get(4), row.get(5));
    let problem = match &schema {
        Some(schema) if forbidden.is_empty() && !may_count => Some(place.may_not_count(schema)),
        Some(schema) if !forbidden.is_empty() => Some(place.may_not_use(&forbidden, schema)),
        _ if !ENCODINGS.contains(&encoding.as_str()) => Some(place.is_encoded(&encoding)),
        _ => None,
    };
    if forbidden.split(", ").any(|table| table == CHANGED) {
        anyhow::bail!(problem.unwrap_or_default());
    }
    let rows = match has_tables {
        true => sqlx::raw_sql(migrations::APPLIED_POSTGRES).fetch_all(connection).await.map_err(describe)?,
        false => Vec::new(),
    };
    let applied = migrations::read_applied(&rows).map_err(describe)?;
    let missing = migrations::count_missing(&applied, &migrations::POSTGRES);
    let missing_migrations = missing.map_err(|error| place.describe_migration(error))?;
    Ok(Look { may_create, missing_migrations, schema, problem })
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
