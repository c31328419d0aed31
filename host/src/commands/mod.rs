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
};

/// The names that no plugin can have: commands of the host itself, those to come included.
pub const RESERVED_NAMES: [&str; 4] = ["help", "create", "stories", "plugins"];

/// Everything that `/maro` can do.
pub struct Commands {
    registry: Arc<Registry>,
    capabilities: Arc<Capabilities>,
    admins: Vec<UserId>,
}

impl Commands {
    pub fn new(registry: Arc<Registry>, capabilities: Arc<Capabilities>, admins: Vec<UserId>) -> Self {
        Self { registry, capabilities, admins }
    }

    /// Answers one `/maro text`. Whatever fails, the answer is a sentence for the person.
    pub async fn run(&self, caller: Caller, text: &str) -> Reply {
        let text = text.trim();
        let (name, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, arguments) = (name.to_lowercase(), arguments.trim_start());
        let plugins = self.registry.plugins();
        match name.as_str() {
            "" => help::all(&plugins),
            "help" if arguments.is_empty() => help::all(&plugins),
            "help" => help::one(&plugins, arguments),
            "plugins" => self.plugins(&caller, arguments).await,
            name => match plugins.get(name) {
                Some(plugin) => self.run_plugin(plugin, caller, arguments).await,
                None => unknown::subcommand(&plugins, name),
            },
        }
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
