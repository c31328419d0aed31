//! In whose name an invocation acts, and what it may do.

use std::sync::Arc;

use crate::{
    invocation::services::Capabilities,
    policy::{
        grants::{Denial, Grant, ProjectKey},
        manifest::Manifest,
    },
};
use maro_domain::{caller::Caller, command_name::CommandName, ids::Incident};
use maro_process::clock::Clock;

/// Which file a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The name of its `NAME.toml`.
    pub manifest_file: String,
}

/// A plugin under its manifest, and the command that it is running.
pub(crate) struct Authority {
    pub(crate) plugin: Arc<str>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) manifest: Arc<Manifest>,
    /// `None` if there is no caller: then it may do nothing.
    command: Option<Command>,
    /// The latest denial that was logged: a guest that keeps asking must not fill the log.
    denied: Option<(Grant, Denial)>,
}

/// What one command gives a plugin.
struct Command {
    caller: Arc<Caller>,
    capabilities: Arc<Capabilities>,
    incident: Incident,
}

impl Authority {
    /// The authority of a plugin that nobody called.
    pub(super) fn of_nobody(plugin: Arc<str>, origin: Arc<Origin>, manifest: Arc<Manifest>) -> Self {
        Self { plugin, origin, manifest, command: None, denied: None }
    }

    /// The authority of a plugin that a caller uses.
    pub(super) fn in_name_of(
        self,
        caller: Arc<Caller>,
        capabilities: Arc<Capabilities>,
        incident: Incident,
    ) -> Self {
        Self { command: Some(Command { caller, capabilities, incident }), ..self }
    }

    /// What the caller types before a command.
    pub(crate) fn command_name(&self) -> CommandName {
        self.caller().map(|caller| caller.command_name.clone()).unwrap_or_default()
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.command.as_ref().map(|command| &*command.caller)
    }

    pub(crate) fn incident(&self) -> Option<Incident> {
        self.command.as_ref().map(|command| command.incident)
    }

    /// The caller and the capabilities, if the operator granted `grant` for this caller.
    ///
    /// # Errors
    /// The sentence for the person; the operator has been told what to change.
    pub(crate) fn authorise(&mut self, grant: Grant) -> Result<(Arc<Caller>, Arc<Capabilities>), String> {
        match self.check(grant) {
            Ok(Command { caller, capabilities, .. }) => Ok((Arc::clone(caller), Arc::clone(capabilities))),
            Err(denial) => Err(self.deny(grant, denial)),
        }
    }

    /// Whether `grant` covers issues of a project.
    ///
    /// # Errors
    /// As [`Authority::authorise`].
    pub(crate) fn reach(&mut self, grant: Grant, project_key: &str) -> Result<(), String> {
        if self.manifest.scope.get(&grant).is_none_or(|scope| scope.has_project(project_key)) {
            return Ok(());
        }
        Err(self.deny(grant, Denial::OtherProject(project_key.to_owned())))
    }

    /// The projects that the operator narrows a grant to, if to any.
    pub(crate) fn projects(&self, grant: Grant) -> Option<&[ProjectKey]> {
        self.manifest.scope.get(&grant)?.projects.as_deref()
    }

    /// Logs a denial for the operator, and returns the sentence for the person.
    pub(crate) fn deny(&mut self, grant: Grant, denial: Denial) -> String {
        let sentence = denial.sentence(grant);
        if self.denied.as_ref().is_none_or(|(before, why)| *before != grant || *why != denial) {
            let (plugin, cure) = (&*self.plugin, denial.cure(grant, &self.origin.manifest_file));
            let caller = self.caller();
            let channel = caller.map(|caller| caller.channel.as_str());
            let user = caller.map(|caller| caller.user.as_str());
            let incident = self.incident().map(tracing::field::display);
            tracing::warn!(plugin, channel, user, incident, "a plugin was denied {grant}: {cure}");
            self.denied = Some((grant, denial));
        }
        sentence
    }

    /// Logs that a command failed because a neighbour is away. That, and why, is logged once and elsewhere.
    pub(crate) fn note_outage(&self, of: &'static str) {
        let incident = self.incident().map(tracing::field::display);
        let channel = self.caller().map(|caller| caller.channel.as_str());
        tracing::info!(plugin = &*self.plugin, incident, channel, of, "a command failed in an outage");
    }

    /// The clock, if the plugin may know the time. A denial isn't logged.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn clock(&self) -> Result<Clock, Denial> {
        self.check(Grant::Clock).map(|command| command.capabilities.clock.clone())
    }

    fn check(&self, grant: Grant) -> Result<&Command, Denial> {
        let command = self.command.as_ref().filter(|_| self.manifest.allows(grant));
        let command = command.ok_or(Denial::NotGranted)?;
        // Nearly all plugins have no scopes at all.
        if let Some(scope) = self.manifest.scope.get(&grant) {
            let Capabilities { admins, access, .. } = &*command.capabilities;
            scope.admits(&command.caller, &admins.get(), &access.channel_names)?;
        }
        Ok(command)
    }
}
