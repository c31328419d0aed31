//! The database of `maro` as a process: whose it is, and its copies.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Command, Output},
    time::{Duration, Instant},
};

use maro_process::http::client::{self, ClientOptions, Trust};

use crate::{
    bot::until,
    process::{Process, World},
};

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

/// A command in which the folder `disk` of the world is a file system of 4 MiB of its own. `None` where nobody
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
    let script = format!("mount -t tmpfs -o size=4m none disk && {before} && exec \"$0\" \"$@\"");
    command.args(["--mount", "sh", "-c", &script]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(world.folder.path()).env_clear();
    command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DATABASE_URL", "sqlite://disk/maro.db");
    Some(command)
}

#[tokio::test]
async fn a_full_disk_is_seen_by_the_doctor_and_in_readyz() {
    let mut world = World::new().await;
    let fill = "{ head -c 6000000 /dev/zero >disk/other; true; }";
    let Some(doctor) = on_a_small_disk(&world, "doctor", fill) else { return };
    let output = run(doctor).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("There's no disk space left for the database disk/maro.db"), "{output:?}");

    let process = Process::start(on_a_small_disk(&world, "serve", "true").unwrap());
    process.logged("ready").await;
    let ready = process.address().await.join("readyz").unwrap();
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let status = async || client.get(ready.clone()).send().await.unwrap().status();
    until("it's ready", async || status().await == 200).await;
    let disk = format!("/proc/{}/root{}", process.child.id(), world.folder.path().join("disk").display());
    // Until there's no room for a byte.
    let _ = fs::write(format!("{disk}/other"), vec![0; 6_000_000]);
    // The database is looked at once a second.
    until("the full disk is seen", async || status().await == 503).await;
    process.logged("the database doesn't answer").await;
    fs::remove_file(format!("{disk}/other")).unwrap();
    until("there is room again", async || status().await == 200).await;
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

/// `maro SUBCOMMAND FILE` with `DATABASE_URL` as its only setting.
async fn run_on_file(world: &World, subcommand: &str, file: &str) -> (bool, String) {
    let mut plain = world.command(subcommand);
    let url = plain.get_envs().find(|(key, _)| *key == "DATABASE_URL").unwrap().1.unwrap().to_owned();
    plain.arg(file).env_clear().env("DATABASE_URL", url);
    let output = run(plain).await;
    (output.status.success(), said(&output))
}

#[tokio::test]
async fn a_running_bot_is_backed_up_and_restored_once_it_has_stopped() {
    let mut world = World::start().await;
    world.say("/maro track SCRUM-123").await;
    let (is_done, said) = run_on_file(&world, "backup", "monday.db").await;
    assert!(is_done && said.starts_with("Saved the database in monday.db ("), "{said}");
    assert!(world.say("/maro track SCRUM-124").await.starts_with("Now tracking"));
    let (is_done, said) = run_on_file(&world, "backup", "monday.db").await;
    assert!(!is_done && said.contains("exists already"), "{said}");
    let (is_done, said) = run_on_file(&world, "restore", "monday.db").await;
    assert!(!is_done && said.contains("Another MARO (process "), "{said}");
    world.kill();
    let (is_done, said) = run_on_file(&world, "restore", "monday.db").await;
    assert!(
        is_done && said.starts_with("Restored the database from monday.db.\nThe previous one is kept as ")
    );
    world.run().await;
    let list = world.say("/maro tracked").await;
    assert!(list.contains("SCRUM-123") && !list.contains("SCRUM-124"), "{list}");
}

#[tokio::test]
async fn a_setting_that_is_misspelt_backs_up_no_other_database() {
    let world = World::new().await;
    fs::write(world.folder.path().join("maro.toml"), "DATABSE_URL = \"sqlite://lists.db\"").unwrap();
    let (is_done, said) = run_on_file(&world, "backup", "monday.db").await;
    assert!(!is_done && said.contains("Did you mean DATABASE_URL?"), "{said}");
}

#[tokio::test]
async fn a_database_that_others_may_open_is_warned_of() {
    let world = World::new().await;
    let file = world.folder.path().join("maro.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let process = Process::start(world.command("serve"));
    let warning = "others on this machine may open the database: run chmod 600 on this file";
    let entry = process.logged(warning).await;
    assert_eq!((&entry["level"], &entry["mode"]), (&"WARN".into(), &"644".into()), "{entry}");
    assert_eq!(entry["file"], file.display().to_string());
}

#[tokio::test]
async fn tables_are_made_and_checked_without_the_bot() {
    let mut world = World::start().await;
    world.kill();
    let migrate = |url: &'static str| {
        let mut command = world.command("migrate");
        // Nothing else has to be set.
        for key in
            ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "JIRA_BASE_URL", "JIRA_EMAIL", "JIRA_API_TOKEN"]
        {
            command.env_remove(key);
        }
        command.env("DATABASE_URL", url);
        run(command)
    };
    let made = migrate("sqlite://new.db").await;
    assert_eq!(said(&made), "Created the database and its tables.\n");
    assert_eq!(said(&migrate("sqlite://new.db").await), "The database's tables were already up to date.\n");
    let refused = migrate("postgres://maro:4711#rose@db/maro").await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("write # in a password as %23"), "{}", said(&refused));
}
