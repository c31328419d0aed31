//! In whose name an invocation acts, and what it may do.

use std::sync::Arc;

use crate::{
    invocation::services::HostServices,
    policy::{
        denials::Denial,
        functions::Function,
        grants::ProjectKey,
        manifest::Manifest,
        scopes::{GrantPlace, Scope},
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
    denied: Option<(GrantPlace, Denial)>,
}

/// What one command gives a plugin.
struct Command {
    caller: Arc<Caller>,
    capabilities: Arc<HostServices>,
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
        capabilities: Arc<HostServices>,
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

    /// The caller and the capabilities, if the operator granted a function for this caller.
    ///
    /// # Errors
    /// The sentence for the person; the operator has been told what to change.
    pub(crate) fn authorise(
        &mut self,
        function: Function,
    ) -> Result<(Arc<Caller>, Arc<HostServices>), String> {
        match self.check(function) {
            Ok(Command { caller, capabilities, .. }) => Ok((Arc::clone(caller), Arc::clone(capabilities))),
            Err((place, denial)) => Err(self.deny(place, denial)),
        }
    }

    /// Whether the grant of a function covers issues of a project.
    ///
    /// # Errors
    /// As [`Authority::authorise`].
    pub(crate) fn reach(&mut self, function: Function, project_key: &str) -> Result<(), String> {
        let denying = self.scopes(function).find(|(_, scope)| !scope.has_project(project_key));
        match denying.map(|(place, _)| place) {
            None => Ok(()),
            Some(place) => Err(self.deny(place, Denial::OtherProject(project_key.to_owned()))),
        }
    }

    /// The projects that the operator narrows a function to, if to any.
    pub(crate) fn projects(&self, function: Function) -> Option<Vec<&ProjectKey>> {
        let lists: Vec<&Scope> =
            self.scopes(function).map(|(_, scope)| scope).filter(|scope| scope.projects.is_some()).collect();
        let first = lists.first()?.projects.as_ref()?;
        let in_all = |key: &&ProjectKey| lists.iter().all(|scope| scope.has_project(key.as_str()));
        Some(first.iter().filter(in_all).collect())
    }

    /// All that narrows a function.
    fn scopes(&self, function: Function) -> impl Iterator<Item = (GrantPlace, &Scope)> {
        self.manifest.scope.get(&function.grant).into_iter().flat_map(move |scope| scope.of(function))
    }

    /// Logs a denial for the operator, and returns the sentence for the person.
    pub(crate) fn deny(&mut self, place: impl Into<GrantPlace>, denial: Denial) -> String {
        let place = place.into();
        let named = place.to_string();
        let sentence = denial.sentence(&named);
        if self.denied.as_ref().is_none_or(|(before, why)| *before != place || *why != denial) {
            let (plugin, cure) = (&*self.plugin, denial.cure(&named, &self.origin.manifest_file));
            let caller = self.caller();
            let channel = caller.map(|caller| caller.channel.as_str());
            let user = caller.map(|caller| caller.user.as_str());
            let incident = self.incident().map(tracing::field::display);
            tracing::warn!(plugin, channel, user, incident, "a plugin was denied {place}: {cure}");
            self.denied = Some((place, denial));
        }
        sentence
    }

    /// Logs that a command failed because a neighbour is away. That, and why, is logged once and elsewhere.
    pub(crate) fn note_outage(&self, of: &'static str) {
        let incident = self.incident().map(tracing::field::display);
        let channel = self.caller().map(|caller| caller.channel.as_str());
        tracing::info!(plugin = &*self.plugin, incident, channel, of, "a command failed during an outage");
    }

    /// The clock, if the plugin may know the time. A denial isn't logged.
    ///
    /// # Errors
    /// Where and why it may not.
    pub(crate) fn clock(&self) -> Result<Clock, (GrantPlace, Denial)> {
        self.check(Function::NOW).map(|command| command.capabilities.clock.clone())
    }

    fn check(&self, function: Function) -> Result<&Command, (GrantPlace, Denial)> {
        let Function { grant, .. } = function;
        let command = self.command.as_ref().filter(|_| self.manifest.allows(grant));
        let command = command.ok_or((GrantPlace::from(grant), Denial::NotGranted))?;
        // Nearly all plugins have no scopes at all.
        for (place, scope) in self.scopes(function) {
            let HostServices { admins, access, .. } = &*command.capabilities;
            let admitted = scope.admits(&command.caller, &admins.get(), &access.known_channels);
            admitted.map_err(|denial| (place, denial))?;
        }
        Ok(command)
    }
}
