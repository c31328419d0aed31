//! `/maro …`: which subcommand answers, and the host's own subcommands.

mod help;
mod plugins;
mod unknown;

use std::sync::Arc;

use crate::{
    domain::{
        ids::UserId,
        reply::{Block, Reply, Span, Visibility},
    },
    plugin::{
        instance::{Caller, Capabilities},
        loaded::{Answer, Fault, LoadedPlugin},
        registry::Registry,
    },
    texts,
    tickets::{Tickets, entry::CommandOrigin},
};

/// The names that no plugin can have: the commands of the host itself.
pub const RESERVED_NAMES: [&str; 4] = ["help", "create", "stories", "plugins"];

/// Everything that `/maro` can do.
pub struct Commands {
    registry: Arc<Registry>,
    capabilities: Arc<Capabilities>,
    tickets: Arc<Tickets>,
    admins: Vec<UserId>,
}

/// One `/maro text`, and where it was typed.
pub struct Typed<'a> {
    pub caller: Caller,
    /// What stands behind `/maro`.
    pub text: &'a str,
    pub team: Option<&'a str>,
    /// Opens one modal within three seconds.
    pub trigger_id: Option<&'a str>,
}

impl Commands {
    pub fn new(
        registry: Arc<Registry>,
        capabilities: Arc<Capabilities>,
        tickets: Arc<Tickets>,
        admins: Vec<UserId>,
    ) -> Self {
        Self { registry, capabilities, tickets, admins }
    }

    /// Answers one `/maro text`. Whatever fails, the answer is a sentence for the person. `None` if all
    /// there is to see is in a modal.
    pub async fn run(&self, typed: Typed<'_>) -> Option<Reply> {
        let text = typed.text.trim();
        let (name, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, arguments) = (name.to_lowercase(), arguments.trim_start());
        let plugins = self.registry.plugins();
        let Typed { caller, team, trigger_id, .. } = typed;
        Some(match name.as_str() {
            "" => help::all(&plugins),
            "help" if arguments.is_empty() => help::all(&plugins),
            "help" => help::one(&plugins, arguments),
            "plugins" => self.plugins(&caller, arguments).await,
            "create" | "stories" => {
                let Some(trigger_id) = trigger_id else { return Some(Reply::sentence(texts::NO_TRIGGER)) };
                let Caller { channel, user, .. } = &caller;
                let origin = CommandOrigin { channel, user, team, trigger_id };
                if name == "create" {
                    return self.tickets.open_create(origin, arguments).await;
                }
                return self.tickets.open_stories(origin, arguments).await;
            }
            name => match plugins.get(name) {
                Some(plugin) => self.run_plugin(plugin, caller, arguments).await,
                None => unknown::subcommand(&plugins, name),
            },
        })
    }

    async fn run_plugin(&self, plugin: &Arc<LoadedPlugin>, caller: Caller, arguments: &str) -> Reply {
        let caller = Arc::new(caller);
        match plugin.run(Arc::clone(&caller), Arc::clone(&self.capabilities), arguments).await {
            Ok(Answer::Reply(reply)) => reply,
            Ok(Answer::Usage(sentence)) => help::usage(&plugin.description, &sentence),
            Ok(Answer::Failed(sentences)) => failed(&sentences),
            Err(fault) => fault_reply(plugin, &caller, &fault),
        }
    }
}

/// What a plugin says of its own failure, a line for each of its lines.
fn failed(sentences: &str) -> Reply {
    let lines = sentences.lines().map(|line| vec![Span::Text(line.to_owned())]).collect();
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Lines(lines)] }
}

/// Tells the operator the whole of it and the person one sentence, with an id that joins the two.
fn fault_reply(plugin: &LoadedPlugin, caller: &Caller, fault: &Fault) -> Reply {
    let incident = new_incident();
    let subcommand = &*plugin.description.name;
    tracing::error!(
        incident,
        plugin = subcommand,
        digest = plugin.digest,
        channel = caller.channel.as_str(),
        user = caller.user.as_str(),
        "invocation failed: {fault}"
    );
    Reply::sentence(match fault {
        Fault::Busy => texts::busy(),
        Fault::TimedOut { .. } => texts::plugin_timed_out(subcommand, &incident),
        Fault::Limit { .. } | Fault::Trapped { .. } | Fault::InvalidReply { .. } => {
            texts::plugin_fault(subcommand, &incident)
        }
    })
}

/// An id under which a person and an operator speak of the same fault.
pub fn new_incident() -> String {
    format!("{:08x}", rand::random::<u32>())
}
