//! Puts the migrations of both databases into the program.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    list_migrations(&root.join("migrations"));
}

/// Writes `migrations.rs`: number, name and content of every step, one list for each database.
fn list_migrations(dir: &Path) {
    let mut code = String::new();
    for database in ["sqlite", "postgres"] {
        let folder = dir.join(database);
        let mut files: Vec<_> = entries(&folder).filter(|file| file.ends_with(".sql")).collect();
        files.sort();
        let list = database.to_uppercase();
        let _ = writeln!(code, "const {list}_STEPS: &[(i64, &str, &str)] = &[");
        for file in files {
            let parts = file.trim_end_matches(".sql").split_once('_');
            let step = parts.and_then(|(number, name)| Some((number.parse::<i64>().ok()?, name)));
            let (number, name) = step.unwrap_or_else(|| panic!("{file} is not named NUMBER_NAME.sql"));
            let (name, path) = (name.replace('_', " "), folder.join(&file));
            let _ = writeln!(code, "    ({number}, {name:?}, include_str!({path:?})),");
        }
        code.push_str("];\n");
    }
    fs::write(Path::new(&variable("OUT_DIR")).join("migrations.rs"), code).expect("OUT_DIR can be written");
}

#[expect(clippy::disallowed_methods, reason = "Cargo speaks to a build script through the environment")]
fn variable(name: &str) -> String {
    env::var(name).expect("Cargo sets it")
}

fn entries(dir: &Path) -> impl Iterator<Item = String> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let entries = fs::read_dir(dir).expect("the repository is whole");
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned())
}
