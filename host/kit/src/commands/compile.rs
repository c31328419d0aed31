//! `maro plugin compile`: the code of plugins, for an image to bring.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::ensure;
use clap::Args;

use crate::output::{say, size};
use maro_runtime::{engine::target_processor::Cpu, loading::image_code};

#[derive(Debug, Args)]
pub struct CompileArguments {
    /// Where to put the code: the image's MARO_CACHE_DIR, writable only by root
    #[arg(value_name = "DIR")]
    into: PathBuf,
    /// The folder with the plugins
    #[arg(long, default_value = "target/plugins", value_name = "DIR")]
    plugins: PathBuf,
    /// The oldest processor the code must run on [default: this machine's]
    #[arg(long, value_enum)]
    cpu: Option<Cpu>,
}

pub(crate) async fn run(arguments: &CompileArguments) -> anyhow::Result<ExitCode> {
    let CompileArguments { into, plugins, cpu } = arguments;
    ensure!(Path::new(plugins).is_dir(), "{} isn't a folder", plugins.display());
    let compiled = image_code::compile(plugins, into, *cpu).await?;
    ensure!(!compiled.is_empty(), "There are no plugins in {}", plugins.display());
    let mut exit = ExitCode::SUCCESS;
    for (name, result) in compiled {
        match result {
            Ok(bytes) => say(&format!("{name}: {} of code", size(bytes))),
            Err(error) => {
                say(&format!("✗ {name}: {error}."));
                exit = ExitCode::FAILURE;
            }
        }
    }
    Ok(exit)
}
