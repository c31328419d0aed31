//! `/maro …`: which subcommand answers, and the host's own subcommands.

mod channel;
pub mod choosing;
mod help;
pub(crate) mod home;
pub(crate) mod issues;
mod plugins;

use std::{sync::Arc, time::Duration};

use crate::{commands::choosing::host_commands::OwnCommand, plugins::owners::OwnerNotices};
use maro_access::roles::{NotAllowed, Role};
use maro_domain::{
    author::Author,
    caller::{Caller, Person},
    command_name::CommandName,
    ids::Incident,
    issue::{IssueKey, one_line},
    reply::{Block, Reply, Span, Visibility},
    words::Site,
};
use maro_process::{metrics::commands::CountedOutcome, outage_log::Outage, replaceable::Live, spans};
use maro_runtime::{
    invocation::services::HostServices,
    registry::{Registry, snapshot::Plugins},
    running::{
        invoke::{Answer, Fault},
        plugin::LoadedPlugin,
    },
};
use maro_slack::words::parse_markup;
use maro_store::plugin_switches::PluginSwitches;
use maro_texts as texts;
use maro_tickets::{Tickets, form::modal::open::CommandOrigin, stories::epic_key};

/// How much of what somebody may not do is noted, in characters.
const MAX_NOTED_LENGTH: usize = 80;

/// How long a command waits for its plugin to be loaded before it says that it is still loading.
const LOADING_PATIENCE: Duration = Duration::from_millis(1_500);

/// Everything that `/maro` can do.
pub struct Commands {
    registry: Arc<Registry>,
    plugin_switches: Arc<dyn PluginSwitches>,
    capabilities: Arc<HostServices>,
    tickets: Arc<Tickets>,
    admins: Live<Vec<Person>>,
    owner_notices: Arc<OwnerNotices>,
    /// Whose links count.
    site: Site,
    /// There was no room for somebody's command.
    crowding: Outage,
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

/// How a command ended.
pub enum CommandOutcome {
    Replied(Reply),
    /// It only shows something, as this command does whenever it's run.
    Showed(Reply, String),
    /// It could not be done, or not as it was typed.
    Refused(Reply),
    /// All there is to see is in a modal.
    InModal,
}

/// Nothing to say means that a modal says it.
impl From<Option<Reply>> for CommandOutcome {
    fn from(reply: Option<Reply>) -> Self {
        reply.map_or(Self::InModal, Self::Replied)
    }
}

impl Commands {
    pub(crate) fn new(
        registry: Arc<Registry>,
        plugin_switches: Arc<dyn PluginSwitches>,
        capabilities: Arc<HostServices>,
        tickets: Arc<Tickets>,
        admins: Live<Vec<Person>>,
        owner_notices: Arc<OwnerNotices>,
        site: Site,
    ) -> Self {
        let crowding = Outage::default();
        Self { registry, plugin_switches, capabilities, tickets, admins, owner_notices, site, crowding }
    }

    /// What was typed, without what people put around it and before it, unless that is the name of a command of MARO's.
    fn within<'a>(&self, typed: &'a str, command_name: &CommandName) -> &'a str {
        let mut text = choosing::name_typed::bare(typed);
        while let Some(rest) = choosing::name_typed::behind_address(text, command_name.as_str())
            && !self.is_name(&choosing::name_typed::split(text).0)
        {
            text = rest;
        }
        text
    }

    /// Whether a command of MARO's or of a plugin is called so, whether or not that one runs.
    fn is_name(&self, name: &str) -> bool {
        let plugins = self.registry.plugins();
        OwnCommand::named(name).is_some() || plugins.get(name).is_some() || plugins.disabled(name).is_some()
    }

    /// The name of the command, and what stands behind it.
    fn split<'a>(&self, text: &'a str) -> (String, &'a str) {
        let is_command = |name: &str| self.is_name(name) || choosing::aliases::command(name).is_some();
        match choosing::name_typed::split_at_sign(text) {
            Some((name, arguments)) if is_command(&name) => (name, arguments),
            _ => choosing::name_typed::split(text),
        }
    }

    /// Answers one `/maro text`. Whatever fails, the answer is a sentence for the person.
    pub async fn run(&self, typed: Typed<'_>) -> CommandOutcome {
        let text = self.within(typed.text, &typed.caller.command_name);
        let (name, arguments) = self.split(text);
        let typed = Typed { text, ..typed };
        if name.is_empty() {
            spans::note_subcommand(OwnCommand::Help.name());
            self.registry.metrics().commands.count_own(OwnCommand::Help.name(), CountedOutcome::Replied);
            return CommandOutcome::Replied(help::all(&self.registry.plugins()));
        }
        let asks_for_help = choosing::name_typed::asks_for_help(arguments);
        if let Some(own) = OwnCommand::named(&name) {
            spans::note_subcommand(own.name());
            let outcome = if asks_for_help {
                CommandOutcome::Replied(help::one(&self.registry.plugins(), &name))
            } else {
                // On the heap, as what follows a name that no plugin has: each command would be as large as the
                // largest, and be moved at that size.
                Box::pin(self.run_own(own, typed, arguments)).await
            };
            let counted = match outcome {
                CommandOutcome::Refused(_) => CountedOutcome::Failed,
                _ => CountedOutcome::Replied,
            };
            self.registry.metrics().commands.count_own(own.name(), counted);
            return outcome;
        }
        let plugins = self.registry.settled(&name, LOADING_PATIENCE).await;
        match plugins.get(&name) {
            Some(_) if asks_for_help => CommandOutcome::Replied(help::one(&plugins, &name)),
            Some(plugin) => self.run_plugin(plugin, typed.caller, arguments).await,
            None => Box::pin(self.run_unnamed(&plugins, typed, &name, arguments)).await,
        }
    }

    /// Answers what isn't the name of a command that runs.
    async fn run_unnamed(
        &self,
        plugins: &Plugins,
        typed: Typed<'_>,
        name: &str,
        arguments: &str,
    ) -> CommandOutcome {
        let shown_name = parse_markup::to_typed(name);
        if let Some(reply) = choosing::unknown::absent(plugins, &shown_name) {
            return CommandOutcome::Refused(reply);
        }
        if let Some(command) = choosing::aliases::command(name) {
            return self.run_alias(typed, command, arguments).await;
        }
        if choosing::aliases::shows(name)
            && let Some(outcome) = self.show(&typed.caller, arguments).await
        {
            return outcome;
        }
        // `trackd 2` is a command with a slip, `STORE 2` and `trackd-2` are keys.
        let is_in_capitals = !typed.text.trim_start().starts_with(char::is_lowercase);
        let is_slip =
            !is_in_capitals && choosing::unknown::is_slip(plugins, &shown_name) && !self.is_key(&shown_name);
        let shown = if is_slip { None } else { self.show(&typed.caller, typed.text).await };
        shown.unwrap_or_else(|| CommandOutcome::Refused(choosing::unknown::subcommand(plugins, &shown_name)))
    }

    /// Runs the command of a plugin under another name, and says how MARO calls it.
    async fn run_alias(&self, typed: Typed<'_>, command: &str, arguments: &str) -> CommandOutcome {
        let plugins = self.registry.settled(command, LOADING_PATIENCE).await;
        let Some(plugin) = plugins.get(command) else {
            return CommandOutcome::Refused(choosing::unknown::subcommand(&plugins, command));
        };
        // `status SCRUM-1` is about the issue.
        if command == "tracked"
            && let Some(outcome) = self.show(&typed.caller, arguments).await
        {
            return outcome;
        }
        let mut outcome = if choosing::name_typed::asks_for_help(arguments) {
            CommandOutcome::Replied(help::one(&plugins, command))
        } else {
            self.run_plugin(plugin, typed.caller, arguments).await
        };
        if let CommandOutcome::Replied(reply)
        | CommandOutcome::Showed(reply, _)
        | CommandOutcome::Refused(reply) = &mut outcome
        {
            reply.blocks.push(Block::Paragraph(texts::commands::alias(command)));
        }
        outcome
    }

    /// `arguments` are as Slack sends them.
    async fn run_own(&self, own: OwnCommand, typed: Typed<'_>, arguments: &str) -> CommandOutcome {
        let Typed { caller, team, trigger_id, .. } = typed;
        let plain = &*parse_markup::to_typed(arguments);
        match own {
            OwnCommand::Help if plain.is_empty() => {
                CommandOutcome::Replied(help::all(&self.registry.plugins()))
            }
            OwnCommand::Help => CommandOutcome::Replied(help::one(&self.registry.plugins(), plain)),
            OwnCommand::Where => self.whereabouts(&caller, plain).await,
            OwnCommand::Plugins => CommandOutcome::Replied(self.plugins(&caller, plain).await),
            OwnCommand::Notify => self.notify(&caller, plain).await,
            OwnCommand::Create | OwnCommand::Stories => {
                let Some(trigger_id) = trigger_id else {
                    return CommandOutcome::Refused(Reply::sentence(texts::issues::forms::CANNOT_OPEN));
                };
                // The log has no words that somebody typed.
                let epic = (own == OwnCommand::Stories).then(|| epic_key::read(arguments, &self.site).ok());
                let epic = epic.flatten().map(|(epic, _)| epic);
                let subject = epic.as_ref().map_or("", IssueKey::as_str);
                if let Some(sentence) = self.refusal(Role::Create, &caller, subject).await {
                    return CommandOutcome::Refused(Reply::sentence(sentence));
                }
                let Caller { channel, user, command_name, .. } = &caller;
                let origin = CommandOrigin { channel, user, team, trigger_id, command_name };
                match own {
                    OwnCommand::Create => self.tickets.open_create(origin, arguments).await.into(),
                    _ => self.tickets.open_stories(origin, arguments).await.into(),
                }
            }
        }
    }

    /// Why a person may not do something, if so. That is noted.
    async fn refusal(&self, role: Role, caller: &Caller, what: &str) -> Option<String> {
        Some(texts::rights::roles::not_allowed(&self.refused(role, caller, what).await?))
    }

    /// As [`Commands::refusal`], before it's a sentence.
    async fn refused(&self, role: Role, caller: &Caller, what: &str) -> Option<NotAllowed> {
        let refused = self.capabilities.access.roles.check(role, caller).await.err()?;
        let what = one_line(what, MAX_NOTED_LENGTH);
        self.capabilities.audit.refused(&Author::from(caller), role.as_str(), &what).await;
        Some(refused)
    }

    async fn run_plugin(
        &self,
        plugin: &Arc<LoadedPlugin>,
        caller: Caller,
        arguments: &str,
    ) -> CommandOutcome {
        let caller = Arc::new(caller);
        let incident = new_incident();
        spans::note_subcommand(plugin.name());
        let outcome =
            plugin.run(Arc::clone(&caller), Arc::clone(&self.capabilities), arguments, incident).await;
        if outcome.is_ok()
            && let Some(over) = self.crowding.answered()
        {
            let (commands, seconds) = (over.failures, over.lasted.as_secs());
            tracing::info!(commands, seconds, "there is room for all commands again");
        }
        match outcome {
            Ok(Answer::Reply(reply)) => replied(plugin, &caller, arguments, reply),
            Ok(Answer::Usage(sentence)) => {
                CommandOutcome::Refused(help::usage(plugin.description(), &sentence))
            }
            Ok(Answer::Failed(sentences)) if sentences.trim().is_empty() => {
                let sentence = texts::plugins::faults::failed_without_reason(plugin.name());
                CommandOutcome::Refused(Reply::line(sentence))
            }
            Ok(Answer::Failed(sentences)) => CommandOutcome::Refused(failed(&sentences)),
            Err(Fault::CircuitOpen { until }) => {
                let rest = until.duration_since(self.capabilities.clock.now());
                let rest = Duration::try_from(rest).unwrap_or_default();
                let sentence = texts::plugins::faults::paused(plugin.name(), rest);
                CommandOutcome::Refused(Reply::line(sentence))
            }
            Err(fault) => CommandOutcome::Refused(self.fault_reply(plugin, &caller, &fault, incident)),
        }
    }

    /// Tells the operator the whole of it and the person one sentence, with an id that joins the two.
    fn fault_reply(
        &self,
        plugin: &LoadedPlugin,
        caller: &Caller,
        fault: &Fault,
        incident: Incident,
    ) -> Reply {
        spans::note_incident(incident);
        spans::note_failure();
        let incident = incident.to_string();
        let subcommand = plugin.name();
        let (digest, channel, user) = (plugin.digest(), caller.channel.as_str(), caller.user.as_str());
        if fault.kind().is_some() {
            tracing::error!(
                incident,
                plugin = subcommand,
                digest,
                channel,
                user,
                "invocation failed: {fault}"
            );
            plugin.note_fault(fault, &incident);
            self.owner_notices.tell(plugin, fault, &incident);
        } else {
            // That all places were taken says nothing about this plugin.
            if self.crowding.failed() {
                tracing::warn!("MARO is too busy for some commands, and tells people to try again");
            }
            tracing::info!(incident, plugin = subcommand, digest, channel, user, "no invocation: {fault}");
        }
        match fault {
            Fault::Busy | Fault::CircuitOpen { .. } => Reply::sentence(texts::commands::BUSY),
            Fault::Crowded => Reply::line(texts::plugins::faults::crowded_out(subcommand)),
            Fault::TimedOut { may_have_changed, .. } => {
                Reply::line(texts::plugins::faults::stopped(subcommand, &incident, *may_have_changed))
            }
            Fault::OutOfScope { sentence, .. } => Reply::sentence(sentence.clone()),
            Fault::Limit { .. } | Fault::Trapped { .. } | Fault::InvalidReply { .. } => {
                Reply::line(texts::plugins::faults::crashed(subcommand, &incident))
            }
        }
    }
}

/// A plugin that may change nothing can be run again whenever what it shows may have changed.
fn replied(plugin: &LoadedPlugin, caller: &Caller, arguments: &str, mut reply: Reply) -> CommandOutcome {
    let only_reads = plugin.manifest().grants.iter().all(|grant| grant.only_reads());
    if only_reads && reply.visibility == Visibility::Caller {
        channel::share_list_button::offer(plugin.name(), arguments, &caller.channel, &mut reply);
        let command = format!("{} {arguments}", plugin.name()).trim_end().to_owned();
        return CommandOutcome::Showed(reply, command);
    }
    CommandOutcome::Replied(reply)
}

/// What a plugin says of its own failure, a line for each of its lines.
fn failed(sentences: &str) -> Reply {
    let lines = sentences.lines().map(|line| vec![Span::Text(line.to_owned())]).collect();
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Lines(lines)] }
}

/// What is said of a command that panicked.
pub(crate) fn broken_off() -> CommandOutcome {
    let incident = new_incident().to_string();
    tracing::error!(incident, "a command ended without an answer");
    CommandOutcome::Refused(Reply::sentence(texts::plugins::faults::internal(&incident)))
}

pub fn new_incident() -> Incident {
    Incident(rand::random())
}
