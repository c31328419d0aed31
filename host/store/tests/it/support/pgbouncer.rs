//! A PgBouncer in transaction mode that has one connection to its server.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use maro_process::secret::Secret;
use tempfile::TempDir;
use url::Url;

use super::postgres::{Database, not_available, owner};

/// Runs PgBouncer until its standard input is closed. So it goes with the process that holds the other end, however
/// that process ends.
const KEEPER: &str = r#"
trap '' INT
pgbouncer --quiet "$1" </dev/null >/dev/null 2>&1 &
read -r end || true
kill -KILL $!
wait
"#;

/// Ended when it is dropped.
pub(crate) struct PgBouncer {
    pub(crate) url: Secret,
    keeper: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// `None`, with a word on stderr, where it isn't installed.
    pub(crate) fn before(database: &Database, settings: &str) -> Option<Self> {
        if version().is_none() {
            not_available("PgBouncer is not installed");
            return None;
        }
        let server: Url = database.url.parse().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users.txt");
        fs::write(&users, "\"maro\" \"\"\n").unwrap();
        let file = folder.path().join("pgbouncer.ini");
        let ini = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 1\n{settings}\n",
            server.port().unwrap(),
            users.display(),
        );
        fs::write(&file, ini).unwrap();
        // It refuses to run as root, too.
        let readable = Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()).status().unwrap();
        assert!(readable.success());
        let keeper = owner("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            sleep(Duration::from_millis(10));
        }
        let url = format!("postgres://maro@127.0.0.1:{port}{}", server.path());
        Some(Self { url: Secret::new(url), keeper, _folder: folder })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Major and minor version.
pub(crate) fn version() -> Option<(u32, u32)> {
    let output = Command::new("pgbouncer").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.strip_prefix("PgBouncer ")?.lines().next()?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
