//! The database of `maro` as a process: whose it is, and its copies.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::process::World;

/// Runs a command to its end.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command says to its caller, on either output.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[tokio::test]
async fn a_second_process_on_an_sqlite_file_ends_and_names_the_other() {
    let mut world = World::start().await;
    let pid = world.process.as_ref().unwrap().child.id();
    let (file, link) = (world.folder.path().join("maro.db"), world.folder.path().join("same.db"));
    symlink("maro.db", &link).unwrap();
    for url in [format!("sqlite://{}", file.display()), "sqlite://same.db".to_owned()] {
        let mut command = world.command("serve");
        command.env("DATABASE_URL", &url);
        let began = Instant::now();
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let said = said(&output);
        assert!(said.contains(&format!("Another MARO (process {pid}")), "{said}");
        assert!(said.contains(&url["sqlite://".len()..]), "{said}");
    }
    // The first one goes on, and so does the next after its end.
    assert!(world.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    world.kill();
    world.run().await;
    assert!(world.say("/maro tracked").await.contains("SCRUM-123"));
    assert!(fs::exists(file).unwrap());
}
