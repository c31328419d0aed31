//! Which servers a `postgres://` URL names, and what the environment says where it names none.

use std::{env, fmt};

use percent_encoding::percent_decode_str;

const DEFAULT_PORT: u16 = 5432;

/// A server, as people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// A name, an address, or the folder of a socket. `None`: what the environment says.
    pub(super) host: Option<String>,
    pub(super) port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.as_deref() {
            Some(folder) if folder.starts_with('/') => write!(formatter, "PostgreSQL at {folder}"),
            Some(address) if address.contains(':') => write!(formatter, "PostgreSQL at [{address}]:{port}"),
            Some(name) => write!(formatter, "PostgreSQL at {name}:{port}"),
            None => write!(formatter, "PostgreSQL at port {port}"),
        }
    }
}

/// The servers in the URL's middle, in its parameters, or in the environment.
///
/// # Errors
/// One sentence for the operator.
pub(super) fn read(
    hosts: &str,
    named_hosts: Option<&str>,
    named_ports: Option<&str>,
) -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    let mut names_port = false;
    for host in hosts.split(',') {
        let (host, port) = split_port(host)?;
        names_port |= port.is_some();
        servers.push(Server { host: non_empty(decode(host)?), port: port.map_or(Ok(DEFAULT_PORT), number)? });
    }
    let names_host = servers.iter().any(|server| server.host.is_some());
    if names_host && named_hosts.is_some() {
        return Err("DATABASE_URL names its host twice: before the path, and in a parameter.".to_owned());
    }
    // What the URL leaves out is in the environment, as with PostgreSQL's own programs.
    let hosts = match named_hosts {
        None if !names_host => variable("PGHOSTADDR").or_else(|| variable("PGHOST")),
        hosts => hosts.map(str::to_owned),
    };
    if let Some(hosts) = &hosts {
        let port = servers[0].port;
        servers = hosts.split(',').map(|host| Server { host: non_empty(host.to_owned()), port }).collect();
    } else if !names_host && variable("PGSERVICE").is_some() {
        return Err("PGSERVICE names a service, and MARO doesn't read the file of services: write its host, user and \
             database into DATABASE_URL."
            .to_owned());
    }
    let in_environment = if names_port { None } else { variable("PGPORT") };
    let setting = if named_ports.is_some() { "DATABASE_URL" } else { "PGPORT" };
    if let Some(ports) = named_ports.or(in_environment.as_deref()) {
        let ports = ports.split(',').map(number).collect::<Result<Vec<u16>, String>>();
        let ports = ports.map_err(|problem| problem.replace("DATABASE_URL", setting))?;
        if ports.len() != 1 && ports.len() != servers.len() {
            return Err(format!("{setting} has another number of ports than of hosts."));
        }
        for (server, port) in servers.iter_mut().zip(ports.iter().cycle()) {
            server.port = *port;
        }
    }
    let is_host = |host: &str| {
        host.starts_with('/')
            || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte))
    };
    if servers.iter().filter_map(|server| server.host.as_deref()).all(is_host) {
        Ok(servers)
    } else {
        Err("DATABASE_URL has a host with a character that no host has. Percent-encode special characters in \
             the user's name and the password, such as @ as %40."
            .to_owned())
    }
}

/// Separates `host:5432` and `[fd00::1]:5432`.
fn split_port(host: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(address) = host.strip_prefix('[') {
        let (address, rest) = address
            .split_once(']')
            .filter(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok())
            .ok_or("DATABASE_URL has a host in square brackets that isn't an IPv6 address.")?;
        return match rest.strip_prefix(':') {
            None if !rest.is_empty() => Err(NOT_A_PORT.to_owned()),
            port => Ok((address, port)),
        };
    }
    match host.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err("DATABASE_URL has a host with several colons: put an IPv6 address into square brackets, and \
                 write : in a password as %3A."
                .to_owned())
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((host, None)),
    }
}

const NOT_A_PORT: &str = "DATABASE_URL has a port that isn't a number from 1 to 65535. If that is a part of a \
                          password, percent-encode its special characters, such as # as %23.";

fn number(port: &str) -> Result<u16, String> {
    if port.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    port.parse().ok().filter(|port| *port > 0).ok_or_else(|| NOT_A_PORT.to_owned())
}

pub(super) fn decode(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| "DATABASE_URL has percent-encoded bytes that aren't UTF-8.".to_owned())
}

/// A variable of PostgreSQL's own programs.
/// Source: <https://www.postgresql.org/docs/current/libpq-envars.html>
pub(super) fn variable(name: &str) -> Option<String> {
    env::var_os(name).and_then(|value| value.into_string().ok()).and_then(non_empty)
}

pub(super) fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
