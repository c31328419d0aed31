//! The components that tests run: MARO's own and the hostile ones, built once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use maro_kit::{languages::component::toolbox, repository};

/// The outcome of work, which a test that has a runtime can't wait for in its thread.
fn waited_for<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(work)).join().unwrap()
}

/// MARO's own plugins, as `maro plugin build` makes them: a folder of `NAME.wasm` and `NAME.toml`.
pub(crate) fn shipped() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| waited_for(async { repository::build(&toolbox(true)).await.unwrap().output }))
}

/// The plugins that operators may add, as `maro plugin build` makes them.
pub(crate) fn optional() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        waited_for(async { repository::build_optional(&toolbox(true)).await.unwrap().unwrap() })
    })
}

/// The component of an example of `plugins/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        // The target folder is beside the shipped plugins, wherever that is.
        let target = shipped().parent().unwrap();
        let status = Command::new("cargo")
            .args(["build", "--package", "maro-fixtures", "--examples"])
            .args(["--profile", "plugin", "--target", "wasm32-wasip2"])
            .status()
            .unwrap();
        assert!(status.success(), "the fixtures do not build");
        target.join("wasm32-wasip2/plugin/examples")
    });
    dir.join(format!("{}.wasm", name.replace('-', "_")))
}

/// A plugins folder of a test's own.
pub(crate) struct PluginsFolder {
    dir: tempfile::TempDir,
}

impl PluginsFolder {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A copy of MARO's own plugins.
    pub(crate) fn shipped() -> Self {
        let folder = Self::empty();
        for entry in fs::read_dir(shipped()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Adds a fixture as `stem.wasm` with `stem.toml`.
    pub(crate) fn with_fixture(self, fixture_name: &str, stem: &str, manifest: &str) -> Self {
        self.with_file(&format!("{stem}.wasm"), &fs::read(fixture(fixture_name)).unwrap())
            .with_file(&format!("{stem}.toml"), manifest.as_bytes())
    }

    pub(crate) fn with_file(self, name: &str, content: &[u8]) -> Self {
        fs::write(self.path().join(name), content).unwrap();
        self
    }

    pub(crate) fn without(self, name: &str) -> Self {
        fs::remove_file(self.path().join(name)).unwrap();
        self
    }
}
