//! One plugin's exports behind any of the versions of `maro:plugin` that this host speaks.
//!
//! Each older version is frozen in `wit/released/`. Its imports are linked to the same functions under the
//! old names, and its exports are converted to the current types here.

use wasmtime::{
    AsContextMut, Engine,
    component::{InstancePre, Linker},
};

use crate::{
    capabilities::call_recorder::Tap,
    interface::bindings::{
        Subcommand, SubcommandPre,
        exports::maro::plugin::command,
        maro::plugin::{jira, log, reply, tracker, tracker_edit},
        v0_1,
    },
    interface::versions::Version,
    invocation::Invocation,
};

/// A plugin that can be instantiated.
pub(crate) enum InterfacePre {
    V0_1(v0_1::SubcommandPre<Invocation>),
    V0_2(SubcommandPre<Invocation>),
}

/// The exports of one instance.
pub(crate) enum Exports {
    V0_1(v0_1::Subcommand),
    V0_2(Subcommand),
}

impl InterfacePre {
    /// Finds the exports of the version that the component was built for.
    ///
    /// # Errors
    /// It has no such exports, or they have other types.
    pub(crate) fn new(pre: InstancePre<Invocation>, version: Version) -> wasmtime::Result<Self> {
        Ok(match version {
            (0, 1, _) => Self::V0_1(v0_1::SubcommandPre::new(pre)?),
            _ => Self::V0_2(SubcommandPre::new(pre)?),
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        match self {
            Self::V0_1(pre) => pre.engine(),
            Self::V0_2(pre) => pre.engine(),
        }
    }

    pub(crate) async fn instantiate(
        &self,
        store: impl AsContextMut<Data = Invocation>,
    ) -> wasmtime::Result<Exports> {
        Ok(match self {
            Self::V0_1(pre) => Exports::V0_1(pre.instantiate_async(store).await?),
            Self::V0_2(pre) => Exports::V0_2(pre.instantiate_async(store).await?),
        })
    }
}

impl Exports {
    pub(crate) async fn describe(
        &self,
        store: impl AsContextMut<Data = Invocation>,
    ) -> wasmtime::Result<command::Description> {
        match self {
            Self::V0_1(exports) => {
                let old = exports.maro_plugin_command().call_describe(store).await?;
                let v0_1::exports::maro::plugin::command::Description { name, version, summary, usage } = old;
                Ok(command::Description { name, version, summary, usage })
            }
            Self::V0_2(exports) => exports.maro_plugin_command().call_describe(store).await,
        }
    }

    pub(crate) async fn run(
        &self,
        store: impl AsContextMut<Data = Invocation>,
        arguments: &str,
    ) -> wasmtime::Result<Result<reply::Reply, command::RunError>> {
        match self {
            Self::V0_1(exports) => {
                let answer = exports.maro_plugin_command().call_run(store, arguments).await?;
                Ok(answer.map(from_v0_1::reply).map_err(from_v0_1::run_error))
            }
            Self::V0_2(exports) => exports.maro_plugin_command().call_run(store, arguments).await,
        }
    }
}

/// Links what plugins of older versions import.
///
/// # Errors
/// A name is linked already, which is a bug.
pub(crate) fn link_older_versions(linker: &mut Linker<Invocation>) -> wasmtime::Result<()> {
    linker.instance("maro:plugin/types@0.1.0")?;
    linker.instance("maro:plugin/reply@0.1.0")?;
    linker.instance("maro:plugin/log@0.1.0")?.func_wrap(
        "log",
        |mut store, (level, message): (log::Level, String)| {
            log::Host::log(&mut Tap(store.data_mut()), level, message)
        },
    )?;
    link_jira_v0_1(linker)?;
    link_tracker_v0_1(linker)
}

fn link_jira_v0_1(linker: &mut Linker<Invocation>) -> wasmtime::Result<()> {
    linker.instance("maro:plugin/jira@0.1.0")?.func_wrap_async(
        "get-issues",
        |mut store, (keys,): (Vec<String>,)| {
            Box::new(async move { Ok((jira::Host::get_issues(&mut Tap(store.data_mut()), keys).await?,)) })
        },
    )
}

fn link_tracker_v0_1(linker: &mut Linker<Invocation>) -> wasmtime::Result<()> {
    let mut reading = linker.instance("maro:plugin/tracker@0.1.0")?;
    reading.func_wrap_async("list-tracked", |mut store, (offset, limit): (u32, u32)| {
        Box::new(async move {
            Ok((tracker::Host::list_tracked(&mut Tap(store.data_mut()), offset, limit).await?,))
        })
    })?;
    reading.func_wrap_async("count-tracked", |mut store, (): ()| {
        Box::new(async move { Ok((tracker::Host::count_tracked(&mut Tap(store.data_mut())).await?,)) })
    })?;
    reading.func_wrap_async("is-tracked", |mut store, (keys,): (Vec<String>,)| {
        Box::new(async move { Ok((tracker::Host::is_tracked(&mut Tap(store.data_mut()), keys).await?,)) })
    })?;
    let mut editing = linker.instance("maro:plugin/tracker-edit@0.1.0")?;
    editing.func_wrap_async("track", |mut store, (keys,): (Vec<String>,)| {
        Box::new(async move { Ok((tracker_edit::Host::track(&mut Tap(store.data_mut()), keys).await?,)) })
    })?;
    editing.func_wrap_async("untrack", |mut store, (keys,): (Vec<String>,)| {
        Box::new(async move { Ok((tracker_edit::Host::untrack(&mut Tap(store.data_mut()), keys).await?,)) })
    })
}

/// Version 0.1.0's types as the current ones.
mod from_v0_1 {
    use crate::interface::bindings::{
        exports::maro::plugin::command,
        maro::plugin::reply,
        v0_1::{exports::maro::plugin::command as old_command, maro::plugin::reply as old},
    };

    pub(crate) fn reply(reply: old::Reply) -> reply::Reply {
        reply::Reply {
            visibility: match reply.visibility {
                old::Visibility::Caller => reply::Visibility::Caller,
                old::Visibility::Channel => reply::Visibility::Channel,
            },
            blocks: reply.blocks.into_iter().map(block).collect(),
        }
    }

    pub(crate) fn run_error(error: old_command::RunError) -> command::RunError {
        match error {
            old_command::RunError::Usage(sentence) => command::RunError::Usage(sentence),
            old_command::RunError::Failed(sentence) => command::RunError::Failed(sentence),
        }
    }

    fn block(block: old::Block) -> reply::Block {
        match block {
            old::Block::Paragraph(spans) => reply::Block::Paragraph(line(spans)),
            old::Block::Items(items) => reply::Block::Items(
                items.into_iter().map(|spans| reply::Item { spans: line(spans), button: None }).collect(),
            ),
            old::Block::Lines(lines) => reply::Block::Lines(lines.into_iter().map(line).collect()),
        }
    }

    fn line(spans: Vec<old::Span>) -> Vec<reply::Span> {
        spans.into_iter().map(span).collect()
    }

    fn span(span: old::Span) -> reply::Span {
        match span {
            old::Span::Text(text) => reply::Span::Text(text),
            old::Span::Strong(text) => reply::Span::Strong(text),
            old::Span::Code(text) => reply::Span::Code(text),
            old::Span::Link(link) => reply::Span::Link(reply::Link { url: link.url, label: link.label }),
            old::Span::Issue(key) => reply::Span::Issue(key),
            old::Span::Channel => reply::Span::Channel,
            old::Span::Caller => reply::Span::Caller,
            old::Span::User(id) => reply::Span::User(id),
        }
    }
}
