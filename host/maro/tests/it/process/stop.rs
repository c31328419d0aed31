//! SIGTERM in the middle of things: what was acknowledged is finished, and what has no end isn't waited for.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use maro_simulation::{jira::faults::JiraFault, slack::shown::terminal};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::process::{PATIENCE, Process, World};

impl World {
    fn shown(&self) -> Vec<String> {
        let names = self.slack.workspace().names();
        self.slack.messages().iter().map(|message| terminal::plain(&message.text, &names)).collect()
    }

    /// Asks the bot to stop, and waits until it has; how it ended.
    async fn stop(&mut self) -> Option<i32> {
        let process = self.process.take().unwrap();
        tokio::task::spawn_blocking(|| process.stop()).await.unwrap()
    }
}

const TRACKED: &str = "Now tracking SCRUM-123: User authentication flow (Open)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_was_acknowledged_is_answered_before_the_end() {
    let mut world = World::start().await;
    world.jira.set_fault(JiraFault::Slow(Duration::from_secs(5)));
    let sent = world.slack.send_command("general", "ada", "/maro track SCRUM-123").await.unwrap();
    assert!(sent.immediate.is_empty(), "{sent:?}");
    assert_eq!(world.stop().await, Some(0));
    assert_eq!(world.shown(), [TRACKED]);
    world.jira.clear_fault();
    world.run().await;
    assert!(world.say("/maro tracked").await.contains("SCRUM-123"));
}

/// Asks the bot to stop once Jira has been asked something, and waits until it has; how it ended.
async fn stop_while_jira_is_asked(world: &World, process: Process) -> Option<i32> {
    let asked = async {
        while world.jira.requests().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, asked).await.expect("Jira is asked");
    tokio::task::spawn_blocking(|| process.stop()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_command_is_answered_before_the_end() {
    let mut world = World::start().await;
    world.jira.take_requests();
    world.jira.set_fault(JiraFault::Slow(Duration::from_secs(1)));
    let process = world.process.take().unwrap();
    let typed = world.slack.send_command("general", "ada", "/maro track SCRUM-123");
    let (sent, code) = tokio::join!(typed, stop_while_jira_is_asked(&world, process));
    assert_eq!(code, Some(0));
    assert_eq!(sent.unwrap().immediate.len(), 1);
    assert_eq!(world.shown(), [TRACKED]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_question_for_choices_is_answered_before_the_end() {
    let mut world = World::start().await;
    let process = world.process.take().unwrap();
    assert_choices_are_answered_before_the_end(&world, process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_question_on_a_socket_is_answered_before_the_end() {
    let world = World::new().await;
    let mut command = world.command("serve");
    command.env("SLACK_APP_TOKEN", world.slack.app_token().expose());
    let process = Process::start(command);
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    assert!(world.slack.wait_for_sockets(2).await);
    assert_choices_are_answered_before_the_end(&world, process).await;
}

async fn assert_choices_are_answered_before_the_end(world: &World, process: Process) {
    world.slack.send_command("general", "ada", "/maro create Zeppelin").await.unwrap();
    world.slack.wait_for_modal("ada", |modal| modal.field("project").is_some()).await.unwrap();
    world.jira.take_requests();
    world.jira.set_fault(JiraFault::Slow(Duration::from_secs(1)));
    let choices = world.slack.suggestions("ada", "project", "ops");
    let (choices, code) = tokio::join!(choices, stop_while_jira_is_asked(world, process));
    assert_eq!(code, Some(0));
    let choices = choices.expect("the connection was cut");
    assert!(choices.iter().any(|choice| choice.value == "OPS"), "{choices:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_end_is_cut_off() {
    let mut world = World::start().await;
    let address = world.process.as_ref().unwrap().address().await;
    let mut connection = TcpStream::connect(&*address.socket_addrs(|| None).unwrap()).await.unwrap();
    connection.write_all(b"POST /slack/commands HTTP/1.1\r\nhost: bot\r\ncontent-len").await.unwrap();
    // Jira never answers this one, which the person is told.
    world.jira.set_fault(JiraFault::Hang);
    world.slack.send_command("general", "ada", "/maro track SCRUM-123").await.unwrap();
    let began = Instant::now();
    assert_eq!(world.stop().await, Some(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}");
    drop(connection);
    let shown = world.shown();
    assert!(shown.len() == 1 && shown[0].starts_with("Jira took too long to respond."), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_is_a_stop_like_any_other() {
    let world = World::new().await;
    let mut process = Process::start(world.command("serve"));
    process.logged("ready").await;
    let asked = Command::new("kill").args(["-INT", &process.child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = async {
        loop {
            if let Some(status) = process.child.try_wait().unwrap() {
                return status.code();
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(timeout(PATIENCE, ended).await.expect("it goes on"), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_asks_for_the_end_ends_it() {
    let mut world = World::start().await;
    let process = world.process.as_ref().unwrap();
    let id = process.child.id().to_string();
    for signal in ["HUP", "USR1", "USR2"] {
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }
    process.logged("ignoring a signal: changed files take effect without one, and SIGTERM stops MARO").await;
    assert!(world.say("/maro track SCRUM-123").await.contains(TRACKED));
    assert!(Command::new("kill").args(["-s", "QUIT", &id]).status().unwrap().success());
    let mut process = world.process.take().unwrap();
    let code = tokio::task::spawn_blocking(move || process.child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
}
