//! `maro audit export` beside a bot that runs: what it prints, since when, and in whose words.

use serde_json::Value;

use crate::process::World;

/// The lines that `maro audit export` prints with these arguments, each as JSON.
fn exported(world: &World, arguments: &[&str]) -> Vec<Value> {
    let mut command = world.command("audit");
    let output = command.arg("export").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn changes_are_exported(world: World) {
    world.say("/maro track SCRUM-123").await;
    world.say("/maro untrack SCRUM-123").await;
    world.say("/maro notify all").await;
    world.say("/maro tracked").await;
    let lines = exported(&world, &["--since", "2026-01-31", "--format", "jsonl"]);
    let said: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or("-").to_owned();
            [
                text("action"),
                text("subject"),
                text("plugin"),
                text("outcome"),
                text("user_id"),
                text("channel_id"),
            ]
            .join(" ")
        })
        .collect();
    let whose = "U0ADA000001 C0GENERAL01";
    let expected = [
        format!("track SCRUM-123 track done {whose}"),
        format!("untrack SCRUM-123 untrack done {whose}"),
        format!("notify all - done {whose}"),
    ];
    assert_eq!(said, expected);
    let times: Vec<&str> = lines.iter().map(|line| line["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times.iter().all(|time| time.ends_with('Z')), "{times:?}");
    assert!(lines[0]["digest"].as_str().is_some_and(|digest| digest.len() == 64), "{}", lines[0]);
    // What was before isn't printed, and an invalid date is named.
    assert_eq!(exported(&world, &["--since", times[2]]).len(), 1);
    assert!(exported(&world, &["--since", "2099-01-01"]).is_empty());
    let refused = world.command("audit").args(["export", "--since", "yesterday"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must be a day such as 2026-01-31"));
}

#[tokio::test]
async fn changes_are_exported_while_the_bot_runs() {
    changes_are_exported(World::start().await).await;
}

#[tokio::test]
async fn changes_are_exported_from_postgresql() {
    let Some(world) = World::on_postgres().await else { return };
    changes_are_exported(world).await;
}
