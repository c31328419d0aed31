//! A PostgreSQL for the tests: a private server on loopback, or the one at `MARO_TEST_POSTGRES_URL`.
//!
//! Where there is neither, tests say so on stderr and pass; with `CI` set they fail.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Makes a server, waits until its standard input is closed, and removes it. So the server goes with the
/// process that holds the other end, however that process ends.
const KEEPER: &str = r#"
set -eu
trap '' INT PIPE
bin=$1 port=$2 primary=$3
folder=$(mktemp -d "${TMPDIR:-/tmp}/maro-postgres.XXXXXX")
trap '"$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
if [ "$primary" = 0 ]; then
    "$bin/initdb" -D "$folder/data" -U maro -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 ||
        { cat "$folder/log" >&2; exit 1; }
else
    "$bin/pg_basebackup" -h 127.0.0.1 -p "$primary" -U maro -D "$folder/data" -R -X stream -c fast \
        --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
fi
"$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=300 -c fsync=off -c full_page_writes=off" >/dev/null ||
    { cat "$folder/log" >&2; exit 1; }
echo "$folder/data"
read -r end || true
"#;

/// A server of our own. It is gone when this is dropped, or the process ends.
pub(crate) struct Server {
    bin: PathBuf,
    data: String,
    port: u16,
    keeper: Child,
}

impl Server {
    /// Starts a server. `None`, with a word on stderr, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = programs() else {
            not_available("PostgreSQL is not installed");
            return None;
        };
        Some(Self::start_as(&bin, None))
    }

    /// A standby of this server, to which every change is streamed.
    pub(crate) fn standby(&self) -> Self {
        Self::start_as(&self.bin, Some(self.port))
    }

    fn start_as(bin: &Path, primary: Option<u16>) -> Self {
        // Another process may take the free port before the server does.
        let attempts = (0..3).map(|_| Self::start_with(bin, primary));
        let mut failures = Vec::new();
        for attempt in attempts {
            match attempt {
                Ok(server) => return server,
                Err(failure) => failures.push(failure),
            }
        }
        panic!("PostgreSQL does not start: {}", failures.join("\n"));
    }

    fn start_with(bin: &Path, primary: Option<u16>) -> Result<Self, String> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = owner("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(bin)
            .args([port.to_string(), primary.unwrap_or_default().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut data = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut data).unwrap();
        if data.is_empty() {
            let mut failure = String::new();
            keeper.stderr.take().unwrap().read_to_string(&mut failure).unwrap();
            return Err(failure);
        }
        Ok(Self { bin: bin.to_owned(), data: data.trim().to_owned(), port, keeper })
    }

    /// Ends every connection and stops.
    pub(crate) fn stop(&self) {
        self.control(&["-m", "fast", "-w", "stop"]);
    }

    /// Ends at once, as by a power failure.
    pub(crate) fn fail(&self) {
        self.control(&["-m", "immediate", "-w", "stop"]);
    }

    /// Makes a standby take writes.
    pub(crate) fn promote(&self) {
        self.control(&["-w", "promote"]);
    }

    /// Starts again after [`Server::stop`], with what was stored.
    pub(crate) fn start_again(&self) {
        let (log, options) = (format!("{}/../log", self.data), format!("-p {}", self.port));
        let rest = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300";
        self.control(&["-l", &log, "-w", "start", "-o", &format!("{options} {rest}")]);
    }

    fn control(&self, arguments: &[&str]) {
        let status = owner(self.bin.join("pg_ctl"))
            .args(["-D", &self.data])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "pg_ctl {arguments:?}: {status}");
    }

    /// Writes a file into the server's folder, which only the server may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let mut shell = owner("sh")
            .args(["-c", "umask 077; cat > \"$1\"", "sh", &format!("{}/{name}", self.data)])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    /// The server's address, as it stands in a URL.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A database of this server that is there already, as on a standby.
    pub(crate) fn existing(&self, name: &str) -> Database {
        Database { url: format!("postgres://maro@{}/{name}", self.host()) }
    }

    fn url(&self) -> String {
        format!("postgres://maro@127.0.0.1:{}/postgres", self.port)
    }

    /// A new, empty database on this server.
    pub(crate) async fn database(&self) -> Database {
        Database::create(&self.url()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// An empty database for one test.
pub(crate) struct Database {
    /// With the user and password.
    pub(crate) url: String,
}

impl Database {
    pub(crate) fn name(&self) -> String {
        url::Url::parse(&self.url).unwrap().path().trim_start_matches('/').to_owned()
    }

    /// A database on the server that all tests of this process share. `None`, with a word on stderr, where
    /// there is no PostgreSQL.
    pub(crate) async fn new() -> Option<Self> {
        static SHARED: LazyLock<Option<Shared>> = LazyLock::new(Shared::find);
        match &*SHARED {
            Some(Shared::Given(url)) => Some(Self::create(url).await),
            Some(Shared::Private(server)) => Some(server.database().await),
            None => {
                not_available("PostgreSQL is not installed");
                None
            }
        }
    }

    async fn create(server: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("maro_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(server).await.unwrap();
        let leftover = format!("DROP DATABASE IF EXISTS {name}");
        connection.execute(AssertSqlSafe(leftover)).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let mut url = url::Url::parse(server).unwrap();
        url.set_path(&name);
        Self { url: url.into() }
    }
}

enum Shared {
    Given(String),
    Private(Server),
}

impl Shared {
    fn find() -> Option<Self> {
        match env::var_os("MARO_TEST_POSTGRES_URL") {
            Some(url) => Some(Self::Given(url.into_string().unwrap())),
            // Each test says for itself that it is skipped.
            None => programs().and_then(|_| Server::start()).map(Self::Private),
        }
    }
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let needed = ["initdb", "pg_basebackup", "pg_ctl"];
    folders.into_iter().find(|folder| needed.iter().all(|program| folder.join(program).is_file()))
}

/// A command as a user that PostgreSQL accepts: it refuses to run as root.
pub(super) fn owner(program: impl Into<OsString>) -> Command {
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    let mut command = if user.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program.into());
        command
    } else {
        Command::new(program.into())
    };
    command.current_dir("/");
    command
}

pub(crate) fn not_available(reason: &str) {
    assert!(env::var_os("CI").is_none(), "{reason}, and with CI set that is a failure");
    // Not eprintln!, which the test harness swallows when the test passes.
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = std::io::stderr().write_all(format!("SKIPPED: {reason}: {test}\n").as_bytes());
}
