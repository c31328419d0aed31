//! The database of `maro` as a process: whose it is, and its copies.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    process::{Command, Output},
    time::{Duration, Instant},
};

use maro_process::http::client::{self, ClientOptions, Trust};

use crate::process::{Process, World};

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

/// A command in which the folder `disk` of the world is a file system of 1 MiB of its own. `None` where nobody
/// may mount one.
fn on_a_small_disk(world: &World, subcommand: &str, before: &str) -> Option<Command> {
    let disk = world.folder.path().join("disk");
    fs::create_dir_all(&disk).unwrap();
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|it| it.success());
    if !may_mount {
        let _ = std::io::stderr().write_all(b"SKIPPED: no file system can be mounted here\n");
        return None;
    }
    let plain = world.command(subcommand);
    let mut command = Command::new("unshare");
    let script = format!("mount -t tmpfs -o size=1m none disk && {before} && exec \"$0\" \"$@\"");
    command.args(["--mount", "sh", "-c", &script]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(world.folder.path()).env_clear();
    command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DATABASE_URL", "sqlite://disk/maro.db");
    Some(command)
}

#[tokio::test]
async fn a_full_disk_is_seen_by_the_doctor_and_in_readyz() {
    let mut world = World::new().await;
    let fill = "{ head -c 2000000 /dev/zero >disk/other; true; }";
    let Some(doctor) = on_a_small_disk(&world, "doctor", fill) else { return };
    let output = run(doctor).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("There's no disk space left for the database disk/maro.db"), "{output:?}");

    let process = Process::start(on_a_small_disk(&world, "serve", "true").unwrap());
    process.logged("ready").await;
    let ready = process.address().await.join("readyz").unwrap();
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let status = async || client.get(ready.clone()).send().await.unwrap().status();
    assert_eq!(status().await, 200);
    let disk = format!("/proc/{}/root{}", process.child.id(), world.folder.path().join("disk").display());
    // Until there's no room for a byte.
    let _ = fs::write(format!("{disk}/other"), vec![0; 2_000_000]);
    assert_eq!(status().await, 503);
    process.logged("the database doesn't answer").await;
    fs::remove_file(format!("{disk}/other")).unwrap();
    assert_eq!(status().await, 200);
    world.serve(process).await;
    assert!(world.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    let names: Vec<_> = fs::read_dir(disk).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
}

#[tokio::test]
async fn a_folder_that_is_read_only_is_seen_by_the_doctor() {
    let world = World::new().await;
    let Some(doctor) = on_a_small_disk(&world, "doctor", "mount -o remount,ro disk") else { return };
    let output = run(doctor).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("MARO can't write into the folder disk"), "{output:?}");
}

#[tokio::test]
async fn the_doctor_makes_no_tables() {
    let world = World::new().await;
    let output = run(world.command("doctor")).await;
    assert!(said(&output).contains("`maro serve` will create it"), "{output:?}");
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 0);
}
