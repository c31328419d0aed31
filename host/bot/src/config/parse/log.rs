//! `MARO_LOG`: what is logged.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::config::parse::Settings;

impl Settings {
    pub(super) fn log(&mut self) -> Option<String> {
        let value = self.or("MARO_LOG", "info");
        // A word alone would be the name of a part of the program, of which everything is logged, and of all else
        // nothing.
        let is_clear = value.split(',').map(str::trim).all(|part| match part.split_once('=') {
            Some((target, _)) => is_target(target),
            None => part.parse::<LevelFilter>().is_ok() || is_target_of_maro(part),
        });
        // Without a word about MARO, nothing of it would be logged.
        let is_clear = is_clear
            && value.split(',').map(str::trim).any(|part| {
                part.parse::<LevelFilter>().is_ok()
                    || is_target_of_maro(part.split('=').next().unwrap_or(part))
            });
        match value.parse::<Targets>() {
            Ok(_) if is_clear => Some(value),
            _ => self.problem(format!(
                "MARO_LOG must be a level (error, warn, info, debug, trace) or a list, such as info,maro=debug, not {value:?}."
            )),
        }
    }
}

/// Whether this may be a part of a program, such as `maro_jira` or `hyper::client`.
fn is_target(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
    };
    text.split("::").all(is_name)
}

fn is_target_of_maro(text: &str) -> bool {
    let first = text.split("::").next().unwrap_or(text);
    is_target(text) && (first == "maro" || first.starts_with("maro_"))
}
