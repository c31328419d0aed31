//! `maro audit export`: the audit log for other systems.

use std::{
    io::{self, BufWriter, ErrorKind, Write as _},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use maro_bot::config::load;
use maro_store::audit::export;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the entries of the audit log, oldest first, even while the bot is running
    Export(ExportArguments),
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Only entries from then on: a day such as 2026-01-31, which begins at midnight UTC, or a time such as
    /// 2026-01-31T09:30:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One JSON object per line
    Jsonl,
}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    let AuditCommand::Export(ExportArguments { since, format: Format::Jsonl }) = command;
    let config = load::database()?;
    let mut output = BufWriter::new(io::stdout().lock());
    let exported =
        export::export(&config, since.unwrap_or(Timestamp::UNIX_EPOCH), |line| writeln!(output, "{line}"));
    let ended = match exported.await {
        Ok(_) => output.flush().map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match ended {
        // The reader has read enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        ended => ended.map(|()| ExitCode::SUCCESS),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn parse_since(text: &str) -> Result<Timestamp, String> {
    let day = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse()
        .ok()
        .or_else(day)
        .ok_or_else(|| "must be a day such as 2026-01-31, or a time such as 2026-01-31T09:30:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight() {
        let midnight: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        assert_eq!(parse_since("2026-01-31"), Ok(midnight));
        assert_eq!(parse_since("2026-01-31T00:00:00Z"), Ok(midnight));
        for bad in ["yesterday", "2026-02-31", "31.01.2026", ""] {
            assert!(parse_since(bad).is_err(), "{bad}");
        }
    }
}
