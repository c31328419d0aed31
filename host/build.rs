//! Rebuilds when a migration is added: the compiler sees only changes to those it has already embedded.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
