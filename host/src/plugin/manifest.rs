//! `NAME.toml` beside `NAME.wasm`: what the operator grants a plugin, and its limits.

use serde::Deserialize;

use crate::plugin::{grants::Grant, limits::Limits};

/// The operator's word on one plugin. Without the file nothing is granted and all limits are the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    pub grants: Vec<Grant>,
    pub limits: Limits,
}

impl Manifest {
    /// Reads the text of a `NAME.toml`.
    ///
    /// # Errors
    /// A sentence that names the key or the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().trim_end_matches('.'))
        })?;
        match manifest.limits.problem() {
            Some(problem) => Err(problem),
            None => Ok(manifest),
        }
    }

    pub fn allows(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_by_an_empty_file() {
        assert_eq!(Manifest::parse("").unwrap(), Manifest::default());
        assert!(Manifest::default().grants.is_empty());
    }

    #[test]
    fn grants_and_limits_are_read() {
        let manifest =
            Manifest::parse("grants = [\"jira\", \"tracker-edit\"]\n[limits]\ncpu-ms = 50\n").unwrap();
        assert_eq!(manifest.grants, [Grant::Jira, Grant::TrackerEdit]);
        assert_eq!(manifest.limits, Limits { cpu_ms: 50, ..Limits::default() });
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, expected) in [
            ("\ngrants = [\"everything\"]", "line 2: unknown variant `everything`"),
            ("grant = []", "line 1: unknown field `grant`"),
            ("[limits]\ncpu-ms = 0", "limit cpu-ms must be from 1 to 60000, not 0"),
            ("[limits]\nmemory-mib = 4096", "limit memory-mib must be from 1 to 256, not 4096"),
            ("grants = ", "line 1: "),
        ] {
            let problem = Manifest::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{problem:?} does not contain {expected:?}");
        }
    }
}
