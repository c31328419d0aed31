//! What a `postgres://` URL says: which servers, as whom, and how.
//!
//! MARO reads the URL itself, because sqlx knows one host only and writes parameters that it doesn't know into
//! the log, with their values. No sentence here repeats a part of the URL that could belong to a password.

use std::{env, net::IpAddr, str::FromStr as _};

use maro_process::secret::Secret;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::form_urlencoded;

use crate::database::postgres::servers::{self, Server, decode, non_empty, variable};

/// The values of `sslmode`.
/// Source: <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
const TLS_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Parameters that are passed on to sqlx. All of them are libpq's.
const PASSED_ON: [&str; 6] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options"];

/// Parameters of libpq that change nothing that MARO relies on: their values may be anything.
const WITHOUT_EFFECT: [&str; 10] = [
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "sslcompression",
    "tcp_user_timeout",
];

/// Where the database is, and as whom to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    servers: Vec<Server>,
    user: Option<String>,
    password: Option<Secret>,
    database: Option<String>,
    parameters: Vec<(String, Secret)>,
}

/// A value, and what the operator knows it by.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) value: String,
}

impl Address {
    /// Reads a URL such as `postgres://maro:secret@db-a:5432,db-b/maro?sslmode=verify-full`.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub fn parse(url: &Secret) -> Result<Self, String> {
        let url = url.expose().trim();
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or("DATABASE_URL must start with postgres://.")?;
        check_characters(rest)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
        let mut read = Parameters {
            user: non_empty(decode(user)?),
            password: password.map(decode).transpose()?,
            database: non_empty(decode(database)?),
            ..Parameters::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            read.take(&name, value.into_owned())?;
        }
        if !read.unknown.is_empty() {
            return Err(unknown(&read.unknown));
        }
        let servers = servers::read(hosts, read.hosts.as_deref(), read.ports.as_deref())?;
        read.check_mode()?;
        Ok(Self {
            servers,
            user: read.user,
            password: read.password.map(Secret::new),
            database: read.database,
            parameters: read.passed_on,
        })
    }

    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The value of a parameter that is passed on.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.expose())
    }

    /// The same, or of the variable in its place.
    pub(super) fn parameter_or_variable(&self, name: &str, in_its_place: &str) -> Option<Source> {
        match self.parameter(name) {
            Some(value) => Some(Source { name: format!("{name} in DATABASE_URL"), value: value.to_owned() }),
            None => variable(in_its_place).map(|value| Source { name: in_its_place.to_owned(), value }),
        }
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether what is exchanged with one of the servers can be read on the way: it is on another machine, and
    /// may be spoken to without TLS.
    pub fn is_exposed(&self) -> bool {
        let options = self.servers.iter().filter_map(|server| self.options(server).ok());
        options.into_iter().any(|options| {
            let is_here = options.get_socket().is_some() || is_loopback(options.get_host());
            let is_encrypted = matches!(
                options.get_ssl_mode(),
                PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
            );
            !is_here && !is_encrypted
        })
    }

    /// How to connect to one of the servers. What the URL doesn't say comes from the environment (`PGPASSWORD`
    /// and so on).
    pub(super) fn options(&self, server: &Server) -> Result<PgConnectOptions, sqlx::Error> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("port", &server.port.to_string());
        let password = self.password.as_ref().map(Secret::expose);
        // None is as good as an empty one, and sqlx doesn't look for one then: see [`super::passfile`].
        let password = password.or_else(|| env::var_os("PGPASSWORD").is_none().then_some(""));
        let named = [
            ("host", server.host.as_deref()),
            ("user", self.user.as_deref()),
            ("password", password),
            ("dbname", self.database.as_deref()),
        ];
        for (name, value) in named {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        for (name, value) in &self.parameters {
            query.append_pair(name, value.expose());
        }
        PgConnectOptions::from_str(&format!("postgres:///?{}", query.finish()))
    }
}

/// What the URL's parameters say.
#[derive(Default)]
struct Parameters {
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    hosts: Option<String>,
    ports: Option<String>,
    passed_on: Vec<(String, Secret)>,
    /// `sslrootcert=system`: no file, but the system's authorities, whom MARO trusts anyway.
    trusts_system: bool,
    /// Names of others.
    unknown: Vec<String>,
}

impl Parameters {
    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "host" | "hostaddr" => self.hosts = Some(value),
            "port" => self.ports = Some(value),
            "sslmode" if !TLS_MODES.contains(&value.as_str()) => {
                return Err(format!(
                    "DATABASE_URL has an sslmode that doesn't exist: it can be {}.",
                    joined(&TLS_MODES, "or")
                ));
            }
            "target_session_attrs" => match value.as_str() {
                "any" | "read-write" | "primary" => {}
                _ => {
                    return Err(
                        "DATABASE_URL has a target_session_attrs that MARO can't use: it writes, so it \
                                needs read-write or primary."
                            .to_owned(),
                    );
                }
            },
            "channel_binding" | "load_balance_hosts" | "sslnegotiation"
                if matches!(value.as_str(), "prefer" | "disable" | "postgres") => {}
            // What some providers put into the URL that they show.
            "channel_binding" if value == "require" => {
                return Err(
                    "DATABASE_URL has channel_binding=require, which MARO can't do: leave it out. With \
                            sslmode=verify-full, MARO makes sure that it talks to the right server."
                        .to_owned(),
                );
            }
            "sslrootcert" if value == "system" => self.trusts_system = true,
            name if PASSED_ON.contains(&name) => self.passed_on.push((name.to_owned(), Secret::new(value))),
            name if WITHOUT_EFFECT.contains(&name) => {}
            name => self.unknown.push(name.to_owned()),
        }
        Ok(())
    }
}

fn unknown(names: &[String]) -> String {
    // What doesn't look like a name may be a part of a password.
    let is_name = |name: &str| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || b"_-".contains(&byte);
        !name.is_empty() && name.len() <= 40 && name.bytes().all(is_letter)
    };
    let named: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_name(name)).collect();
    let problem = match &named[..] {
        [] => "DATABASE_URL has a parameter that MARO can't use: remove it, or correct its name".to_owned(),
        [name] => format!(
            "DATABASE_URL has the parameter {name}, which MARO can't use: remove it, or correct its name"
        ),
        names => format!(
            "DATABASE_URL has the parameters {}, which MARO can't use: remove them, or correct their names",
            joined(names, "and")
        ),
    };
    let known = ["host", "port", "user", "password", "dbname", "target_session_attrs"];
    let known: Vec<&str> = known.into_iter().chain(PASSED_ON).collect();
    format!("{problem}. Those with an effect are {}. Write & in a password as %26.", joined(&known, "and"))
}

impl Parameters {
    /// Checks `sslmode`. With the system's authorities, libpq knows one alone, which is the default then.
    /// Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLROOTCERT>
    fn check_mode(&mut self) -> Result<(), String> {
        let has = |name: &str| self.passed_on.iter().any(|(key, _)| key == name);
        let trusts_system = self.trusts_system
            || !has("sslrootcert") && variable("PGSSLROOTCERT").is_some_and(|file| file == "system");
        let mode = self.passed_on.iter().find(|(name, _)| name == "sslmode").map(|(_, mode)| mode.expose());
        let mode = match (mode, variable("PGSSLMODE")) {
            (Some(mode), _) => Some(mode.to_owned()),
            (None, Some(mode)) if !TLS_MODES.contains(&mode.as_str()) => {
                let modes = joined(&TLS_MODES, "or");
                return Err(format!("PGSSLMODE has a value that doesn't exist: it can be {modes}."));
            }
            (None, mode) => mode,
        };
        match mode.as_deref() {
            _ if !trusts_system => Ok(()),
            Some("verify-full") => Ok(()),
            None => {
                self.passed_on.push(("sslmode".to_owned(), Secret::new("verify-full")));
                Ok(())
            }
            Some(_) => {
                Err("DATABASE_URL has sslrootcert=system, which needs sslmode=verify-full.".to_owned())
            }
        }
    }
}

/// Notices characters that end a part of the URL, where a password was meant to go on.
fn check_characters(rest: &str) -> Result<(), String> {
    let hint = |character: char, code: &str| {
        Err(format!(
            "DATABASE_URL has a {character} that can't stand there: write {character} in a password as {code}."
        ))
    };
    if rest.contains('#') {
        return hint('#', "%23");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    if !authority.contains('@') {
        let (path, query) = after.split_once('?').map_or((after, None), |(path, query)| (path, Some(query)));
        if path.contains('@') {
            return hint('/', "%2F");
        }
        let first = query.map(|query| query.split('&').next().unwrap_or(query));
        if first.is_some_and(|first| first.split('=').next().is_some_and(|name| name.contains('@'))) {
            return hint('?', "%3F");
        }
    }
    let bytes = rest.as_bytes();
    let is_code =
        |at: usize| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && !is_code(at)) {
        return hint('%', "%25");
    }
    if rest.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(
            "DATABASE_URL has a space or a line break in it: write a space in a password as %20.".to_owned()
        );
    }
    Ok(())
}

/// The host of a URL or of the environment, which may also be the folder of a socket.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn joined(names: &[&str], word: &str) -> String {
    let (last, others) = names.split_last().expect("there are names");
    format!("{} {word} {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, String> {
        Address::parse(&Secret::new(url.to_owned()))
    }

    fn servers_of(url: &str) -> Vec<String> {
        parse(url).unwrap().servers().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn several_hosts_are_read_in_their_order() {
        let url = "postgres://maro:s3a@10.30.0.11:5432,10.30.0.12,10.30.0.13:5433/maro?target_session_attrs=read-write";
        assert_eq!(
            servers_of(url),
            [
                "PostgreSQL at 10.30.0.11:5432",
                "PostgreSQL at 10.30.0.12:5432",
                "PostgreSQL at 10.30.0.13:5433"
            ]
        );
        assert_eq!(
            servers_of("postgresql://maro@[fd00:30::11]:5433,[fd00:30::12]/maro"),
            ["PostgreSQL at [fd00:30::11]:5433", "PostgreSQL at [fd00:30::12]:5432"]
        );
        assert_eq!(
            servers_of("postgres:///maro?host=a,b&port=1,2&target_session_attrs=primary"),
            ["PostgreSQL at a:1", "PostgreSQL at b:2"]
        );
        assert_eq!(servers_of("postgres:///maro?host=/run/postgresql"), ["PostgreSQL at /run/postgresql"]);
        assert_eq!(servers_of("postgres://%2Frun%2Fpostgresql/maro"), ["PostgreSQL at /run/postgresql"]);
    }

    #[test]
    fn what_the_url_says_is_passed_on() {
        let address = parse("postgres://ma%40ro:s%23c%2Fr%3Ft@db:6000/the%20bot?sslmode=require").unwrap();
        let options = address.options(&address.servers()[0]).unwrap();
        assert_eq!((options.get_host(), options.get_port()), ("db", 6000));
        assert_eq!((options.get_username(), options.get_database()), ("ma@ro", Some("the bot")));
        assert_eq!(address.password.as_ref().unwrap().expose(), "s#c/r?t");
        assert_eq!(address.parameter("sslmode"), Some("require"));
        let address = parse("postgres://[::1]:7/maro?user=ada&password=a@b&application_name=bot").unwrap();
        let options = address.options(&address.servers()[0]).unwrap();
        assert_eq!((options.get_port(), options.get_username()), (7, "ada"));
        let system = parse("postgres://maro@db/maro?sslrootcert=system").unwrap();
        assert_eq!(
            (system.parameter("sslmode"), system.parameter("sslrootcert")),
            (Some("verify-full"), None)
        );
        let socket = parse("postgres://maro@%2Frun%2Fpg:5433/maro").unwrap();
        let options = socket.options(&socket.servers()[0]).unwrap();
        assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/pg"));
        assert_eq!(options.get_port(), 5433);
    }

    #[test]
    fn each_problem_has_its_sentence_and_shows_nothing_of_the_password() {
        for (url, hint) in [
            ("postgres://maro:4711#rose@db.harbor.example/maro", "write # in a password as %23"),
            ("postgres://maro:90/rose@db.harbor.example/maro", "write / in a password as %2F"),
            ("postgres://maro:rose?90@db.harbor.example/maro", "write ? in a password as %3F"),
            ("postgres://maro:rose%90%@db.harbor.example/maro", "write % in a password as %25"),
            ("postgres://maro:rose 90@db.harbor.example/maro", "write a space in a password as %20"),
            ("postgres://maro:rose@db:4711x/maro", "a port that isn't a number"),
            ("postgres://maro:rose", "a port that isn't a number"),
            ("postgres://maro:rose@fd00::1/maro", "put an IPv6 address into square brackets"),
            ("postgres://maro:rose@[4711]/maro", "isn't an IPv6 address"),
            ("postgres://maro:rose@d!b/maro", "a character that no host has"),
            (
                "postgres://maro@db/maro?sslmode=verify",
                "disable, allow, prefer, require, verify-ca or verify-full",
            ),
            ("postgres://maro@db/maro?target_session_attrs=standby", "needs read-write or primary"),
            ("postgres://maro@db/maro?pasword=rose", "the parameter pasword"),
            ("postgres://maro@db/maro?password=4711&Rose90=x", "a parameter that MARO can't use"),
            ("postgres://maro@db/maro?channel_binding=require", "leave it out. With sslmode=verify-full,"),
            ("postgres://maro@db/maro?channel_binding=always", "the parameter channel_binding"),
            ("postgres://maro@db/maro?oauth_id=1&oauth_secret=rose", "parameters oauth_id and oauth_secret,"),
            ("postgres://maro@db/maro?sslrootcert=system&sslmode=require", "needs sslmode=verify-full"),
            ("postgres://maro@a/maro?host=b", "names its host twice"),
            ("postgres://a,b/maro?port=1,2,3", "another number of ports"),
            ("mysql://maro:rose@db/maro", "must start with postgres://"),
        ] {
            let sentence = parse(url).unwrap_err();
            assert!(sentence.contains(hint) && sentence.ends_with('.'), "{url}: {sentence}");
            for secret in ["4711", "rose", "Rose"] {
                assert!(!sentence.contains(secret), "{url}: {sentence}");
            }
        }
    }

    #[test]
    fn what_leaves_this_machine_without_tls_is_exposed() {
        for (url, is_exposed) in [
            ("postgres://maro@db.harbor.example/maro", true),
            ("postgres://maro@db.harbor.example/maro?sslmode=disable", true),
            ("postgres://maro@db.harbor.example/maro?sslmode=prefer", true),
            ("postgres://maro@10.0.0.1,127.0.0.1/maro?sslmode=allow", true),
            ("postgres://maro@db.harbor.example/maro?sslmode=require", false),
            ("postgres://maro@db.harbor.example/maro?sslmode=verify-full", false),
            ("postgres://maro@127.0.0.1,[::1],localhost/maro", false),
            ("postgres://maro@%2Frun%2Fpg/maro", false),
        ] {
            assert_eq!(parse(url).unwrap().is_exposed(), is_exposed, "{url}");
        }
    }

    #[test]
    fn nothing_of_an_address_shows() {
        let address = parse("postgres://maro:hunter2@db/maro?sslkey=hunter3").unwrap();
        let shown = format!("{address:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
