//! `[scope]` of `NAME.toml`: how far a grant reaches, as a whole and by function.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};

use crate::policy::{
    denials::Denial,
    functions::Function,
    grants::{Grant, ProjectKey},
};
use maro_access::{moved_and_archived_channels::KnownChannels, named_channel::NamedChannel};
use maro_domain::caller::{self, Person};

/// How a grant or a part of it is narrowed, each key optional. Empty lists narrow nothing but `projects` and
/// `only-in-channels`, which then allow nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scope {
    /// For `jira` and `jira-edit`: only issues of these projects.
    pub projects: Option<Vec<ProjectKey>>,
    /// Only for commands typed in these channels.
    pub only_in_channels: Option<Vec<NamedChannel>>,
    /// Not for commands typed in these channels.
    pub not_in_channels: Vec<NamedChannel>,
    /// Only for commands from people in `MARO_ADMINS`.
    pub admins_only: bool,
}

/// A table of `[scope]`. What narrows the whole grant narrows its parts as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantScope {
    pub whole: Scope,
    pub parts: Vec<(Part, Scope)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All functions that only read.
    Reading,
    /// All functions that can change something.
    Writing,
    /// The function of this name.
    Function(&'static str),
}

/// Where something is denied: a grant, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantPlace {
    pub grant: Grant,
    pub part: Option<Part>,
}

impl Scope {
    /// Whether a command from this caller may use the capability at all.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(
        &self,
        caller: &caller::Caller,
        admins: &[Person],
        names: &KnownChannels,
    ) -> Result<(), Denial> {
        // What names a channel by an id that it had before goes on to hold.
        let is_it = |named: &NamedChannel| names.current(&named.0) == caller.channel;
        let lists = |channels: &[NamedChannel]| {
            channels.iter().any(|channel| channel.0 == caller.channel) || channels.iter().any(is_it)
        };
        let in_channel = self.only_in_channels.as_deref().is_none_or(lists) && !lists(&self.not_in_channels);
        if !in_channel {
            return Err(Denial::OtherChannel);
        }
        if self.admins_only && !caller.is_among(admins) {
            return Err(Denial::AdminsOnly);
        }
        // A plugin writes whatever it likes on its buttons.
        if let (true, Some(command)) = (self.admins_only, caller.pressed_command()) {
            let typed = format!("{} {command}", caller.command_name);
            return Err(Denial::AdminsTyping { typed });
        }
        Ok(())
    }

    /// Whether issues of a project may be read or changed.
    pub fn has_project(&self, project_key: &str) -> bool {
        self.projects.as_ref().is_none_or(|projects| projects.iter().any(|key| key.as_str() == project_key))
    }
}

impl GrantScope {
    /// All that narrows a function: the whole grant's scope first, then that of each of its parts.
    pub fn of(&self, function: Function) -> impl Iterator<Item = (GrantPlace, &Scope)> {
        let grant = function.grant;
        let parts = self.parts.iter().filter(move |(part, _)| part.has(function));
        let parts = parts.map(move |(part, scope)| (GrantPlace { grant, part: Some(*part) }, scope));
        std::iter::once((GrantPlace::from(grant), &self.whole)).chain(parts)
    }

    /// The whole and all parts of a grant's scope.
    pub fn all(&self, grant: Grant) -> impl Iterator<Item = (GrantPlace, &Scope)> {
        let parts =
            self.parts.iter().map(move |(part, scope)| (GrantPlace { grant, part: Some(*part) }, scope));
        std::iter::once((GrantPlace::from(grant), &self.whole)).chain(parts)
    }
}

impl Part {
    /// Its key in `[scope]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Writing => "writing",
            Self::Function(name) => name,
        }
    }

    fn has(self, function: Function) -> bool {
        match self {
            Self::Reading => !function.changes,
            Self::Writing => function.changes,
            Self::Function(name) => name == function.name,
        }
    }

    /// Whether a grant has any such function.
    pub fn is_of(self, grant: Grant) -> bool {
        Function::of(grant).any(|function| self.has(function))
    }

    fn from_key(key: &str) -> Option<Self> {
        let of_name = || Function::ALL.into_iter().find(|function| function.name == key);
        match key {
            "reading" => Some(Self::Reading),
            "writing" => Some(Self::Writing),
            _ => of_name().map(|function| Self::Function(function.name)),
        }
    }
}

impl From<Grant> for GrantPlace {
    fn from(grant: Grant) -> Self {
        Self { grant, part: None }
    }
}

/// As it is written below `[scope]`: `storage`, `storage.writing`.
impl fmt::Display for GrantPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grant.fmt(formatter)?;
        self.part.map_or(Ok(()), |part| write!(formatter, ".{}", part.as_str()))
    }
}

/// A key below a grant.
#[derive(Deserialize)]
#[serde(try_from = "String")]
enum Key {
    Projects,
    OnlyInChannels,
    NotInChannels,
    AdminsOnly,
    Part(Part),
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        match key.as_str() {
            "projects" => Ok(Self::Projects),
            "only-in-channels" => Ok(Self::OnlyInChannels),
            "not-in-channels" => Ok(Self::NotInChannels),
            "admins-only" => Ok(Self::AdminsOnly),
            other => Part::from_key(other)
                .map(Self::Part)
                .ok_or_else(|| maro_texts::plugins::manifests::unknown_scope_key(other)),
        }
    }
}

impl<'de> Deserialize<'de> for GrantScope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = GrantScope;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table such as { admins-only = true }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GrantScope, A::Error> {
        let mut scope = GrantScope::default();
        while let Some(key) = map.next_key()? {
            let whole = &mut scope.whole;
            match key {
                Key::Projects => whole.projects = Some(map.next_value()?),
                Key::OnlyInChannels => whole.only_in_channels = Some(map.next_value()?),
                Key::NotInChannels => whole.not_in_channels = map.next_value()?,
                Key::AdminsOnly => whole.admins_only = map.next_value()?,
                Key::Part(part) => scope.parts.push((part, map.next_value()?)),
            }
        }
        Ok(scope)
    }
}
