//! What PostgreSQL's own programs take from the environment: taken by MARO as well, or named.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use maro_process::secret::Secret;
use maro_store::config::DatabaseConfig;

use crate::{postgres::Server, raw::execute};

/// `maro migrate` in a folder, with these variables alone.
async fn migrate(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maro"));
    command
        .arg("migrate")
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// A server that wants a password of the user `bot`.
async fn strict_server() -> Option<(Server, String)> {
    let server = Server::start()?;
    let database = server.database().await;
    let admin = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    let account = "CREATE ROLE bot LOGIN PASSWORD 'a:rose'; GRANT ALL ON SCHEMA public TO bot";
    execute(&admin, account).await;
    server.write("pg_hba.conf", "host all maro all trust\nhost all bot all scram-sha-256\n");
    execute(&admin, "SELECT pg_reload_conf()").await;
    let name = database.name();
    Some((server, name))
}

#[tokio::test]
async fn a_file_of_passwords_is_read_or_named_with_what_is_wrong() {
    let Some((server, name)) = strict_server().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".pgpass");
    let host = server.host();
    let url = format!("postgres://bot@{host}/{name}");
    let ask = async |variables: &[(&str, &str)]| {
        migrate(folder.path(), &[&[("DATABASE_URL", url.as_str())], variables].concat()).await
    };
    // The server takes a moment to read its settings again.
    let mut said = ask(&[]).await;
    while !said.contains("rejected the user") {
        said = ask(&[]).await;
    }
    assert!(said.contains("it has no password: write it into DATABASE_URL, or into ~/.pgpass."), "{said}");

    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    fs::write(&file, format!("\u{feff}{host}:others:bot:no\r\n{host}:*:bot:a\\:rose\r\n")).unwrap();
    mode(0o644);
    let said = ask(&[]).await;
    assert!(
        said.contains(".pgpass is ignored because others may read it, by its mode 0644: run chmod 600 "),
        "{said}"
    );
    mode(0o600);
    let said = ask(&[]).await;
    assert!(said.contains("up to date"), "{said}");

    let said = ask(&[("PGPASSWORD", "wrong")]).await;
    assert!(said.contains("check the name in DATABASE_URL and the password in PGPASSWORD"), "{said}");
    let said = ask(&[("PGPASSFILE", "/no/such/file")]).await;
    assert!(said.contains("it has no password, as /no/such/file can't be read: No such file"), "{said}");
    fs::write(&file, "rose\n").unwrap();
    let said = ask(&[]).await;
    let expected = format!(".pgpass is for {host}:{name}:bot, and line 1 has fewer than five parts.");
    assert!(said.contains(&expected), "{said}");
    fs::write(&file, format!("{host}:*:bot:wrong-rose\n")).unwrap();
    let said = ask(&[]).await;
    assert!(said.contains("and line 1 of ") && !said.contains("rose"), "{said}");
}

#[tokio::test]
async fn hosts_ports_and_tls_come_from_the_environment_where_the_url_leaves_them_out() {
    let Some(server) = Server::start() else { return };
    let name = server.database().await.name();
    let folder = tempfile::tempdir().unwrap();
    let (host, port) =
        server.host().split_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let url = format!("postgres:///{name}");
    for variables in [
        vec![("PGHOST", &*host), ("PGPORT", &*port)],
        // The first takes no connections.
        vec![("PGHOST", "127.0.0.2,127.0.0.1"), ("PGPORT", &port)],
        vec![("PGHOSTADDR", &host), ("PGHOST", "db.harbor.example"), ("PGPORT", &port)],
    ] {
        let said = [&[("DATABASE_URL", &*url), ("PGUSER", "maro")], &variables[..]].concat();
        let said = migrate(folder.path(), &said).await;
        assert!(said.contains("up to date"), "{variables:?}: {said}");
    }
    let whole = format!("postgres://maro@{}/{name}", server.host());
    for (url, variable, value, told) in [
        (&url, "PGHOST", "127.0.0.3", "MARO can't reach PostgreSQL at 127.0.0.3:5432"),
        (&whole, "PGSSLMODE", "verify", "PGSSLMODE has a value that doesn't exist: it can be disable, allow"),
        (&url, "PGSERVICE", "lists", "PGSERVICE names a service, and MARO doesn't read the file of services"),
        (&url, "PGPORT", "many", "PGPORT has a port that isn't a number"),
        (
            &whole,
            "PGSSLROOTCERT",
            "/no/ca.pem",
            "PGSSLROOTCERT names the file /no/ca.pem, which can't be read",
        ),
        (&whole, "PGSSLCERT", "/no/maro.pem", "PGSSLCERT is set alone: a certificate"),
    ] {
        let said = migrate(folder.path(), &[("DATABASE_URL", url), (variable, value)]).await;
        assert!(said.contains(told), "{variable}: {said}");
    }
}
