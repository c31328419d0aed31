//! The password of an account, from wherever PostgreSQL's own programs look for it. It's looked for again for each
//! connection, as it may change.
//!
//! sqlx would read the same file, and write lines that it doesn't understand into the log, with their passwords.
//! Source: <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use maro_process::bounded_file::read_text_bounded;
use sqlx::postgres::PgConnectOptions;

use crate::database::postgres::address::Address;

/// The largest file with passwords, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Adds the password. Returns what to check, or to do, if the server rejects the account.
pub(super) fn log_in(address: &Address, options: PgConnectOptions) -> (PgConnectOptions, String) {
    if address.has_password() {
        return (options, "check the name and password in DATABASE_URL".to_owned());
    }
    if env::var_os("PGPASSWORD").is_some() {
        return (options, "check the name in DATABASE_URL and the password in PGPASSWORD".to_owned());
    }
    let Some(path) = path() else { return (options, NOWHERE.to_owned()) };
    let is_named = env::var_os("PGPASSFILE").is_some();
    let parts = wanted(&options);
    match find(&path, &parts) {
        Ok(Found::Password { line, password }) => {
            let check = format!("check the name in DATABASE_URL and line {line} of {}", path.display());
            (options.password(&password), check)
        }
        Ok(Found::None { malformed }) => {
            let [host, port, database, user] = &parts;
            let malformed = malformed.map(|line| format!(", and line {line} has fewer than five parts"));
            let hint = format!(
                "it has no password, as no line of {} is for {host}:{port}:{database}:{user}{}",
                path.display(),
                malformed.unwrap_or_default()
            );
            (options, hint)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => (options, NOWHERE.to_owned()),
        Err(error) => (options, format!("it has no password, as {} {error}", path.display())),
    }
}

const NOWHERE: &str = "it has no password: write it into DATABASE_URL, or into ~/.pgpass";

fn path() -> Option<PathBuf> {
    match env::var_os("PGPASSFILE") {
        Some(path) => Some(path.into()),
        None => env::home_dir().map(|home| home.join(".pgpass")),
    }
}

/// Host, port, database and user, as a line names them.
fn wanted(options: &PgConnectOptions) -> [String; 4] {
    let host = match options.get_socket() {
        Some(folder)
            if Path::new("/run/postgresql") != folder && Path::new("/var/run/postgresql") != folder =>
        {
            folder.display().to_string()
        }
        Some(_) => "localhost".to_owned(),
        None => options.get_host().to_owned(),
    };
    let user = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&user).to_owned();
    [host, options.get_port().to_string(), database, user]
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Password {
        line: usize,
        password: String,
    },
    /// Perhaps because of a line that has too few parts.
    None {
        malformed: Option<usize>,
    },
}

/// # Errors
/// What is wrong with the file, as the end of a sentence.
fn find(path: &Path, parts: &[String; 4]) -> io::Result<Found> {
    let unreadable = |error: io::Error| io::Error::new(error.kind(), format!("can't be read: {error}"));
    let text = read_text_bounded(path, MAX_BYTES).map_err(unreadable)?;
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(io::Error::other(format!(
            "is ignored because others may read it, by its mode {:04o}: run chmod 600 {}",
            mode & 0o7777,
            path.display()
        )));
    }
    Ok(look_up(&text, parts))
}

fn look_up(text: &str, parts: &[String; 4]) -> Found {
    let mut malformed = None;
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let mut rest = line;
        let fields = parts.each_ref().map(|_| next_field(&mut rest));
        if fields.iter().any(Option::is_none) {
            malformed.get_or_insert(number);
        } else if fields.iter().flatten().zip(parts).all(|(field, part)| field == "*" || field == part) {
            return Found::Password { line: number, password: unescaped(rest) };
        }
    }
    Found::None { malformed }
}

/// What stands before the next colon that isn't escaped.
fn next_field(rest: &mut &str) -> Option<String> {
    let mut is_escaped = false;
    let end = rest.find(|letter| {
        let is_end = letter == ':' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end
    })?;
    let field = unescaped(&rest[..end]);
    *rest = &rest[end + 1..];
    Some(field)
}

fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    let mut read = String::new();
    while let Some(letter) = letters.next() {
        read.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> [String; 4] {
        ["db", "5432", "lists", "ma:ro"].map(str::to_owned)
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "\u{feff}# host:port:database:user:password\r\n\r\nother:*:*:*:no\r\n*:5432:lists:ma\\:ro:s3\\:a\\\\b:c \r\n";
        let password = "s3:a\\b:c ".to_owned();
        assert_eq!(look_up(text, &parts()), Found::Password { line: 4, password });
        let found = Found::Password { line: 1, password: "rose".to_owned() };
        assert_eq!(look_up("\u{feff}db:*:*:*:rose", &parts()), found);
        for (text, malformed) in
            [("", None), ("db:5432:lists:ma:ro:rose", None), ("x:1:a:b:c\ndb:lists:ma\\:ro:rose", Some(2))]
        {
            assert_eq!(look_up(text, &parts()), Found::None { malformed }, "{text}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_told_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        let missing = find(&path, &parts()).unwrap_err().to_string();
        assert!(missing.starts_with("can't be read: No such file"), "{missing}");
        fs::write(&path, "*:*:*:*:rose").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let told = find(&path, &parts()).unwrap_err().to_string();
        let expected = "is ignored because others may read it, by its mode 0644: run chmod 600 ";
        assert_eq!(told, format!("{expected}{}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let password = "rose".to_owned();
        assert_eq!(find(&path, &parts()).unwrap(), Found::Password { line: 1, password });
    }
}
