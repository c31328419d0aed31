//! What is wrong in a plugin's `NAME.toml`, and what its operator may not have intended.

/// A problem in one line of the file.
pub fn in_line(number: usize, problem: &str) -> String {
    format!("line {number}: {problem}")
}

pub fn scope_without_grant(grant: &str) -> String {
    format!("{grant} has a scope but isn't granted: add \"{grant}\" to `grants` or remove its scope")
}

pub fn projects_of_other_grant(grant: &str) -> String {
    format!("only jira and jira-edit have projects: remove `{grant}.projects`")
}

pub fn unknown_scope_key(key: &str) -> String {
    format!(
        "`{key}` isn't a scope key or a function: use projects, only-in-channels, not-in-channels or \
        admins-only, alone or after reading, writing or a function (storage.writing.admins-only)"
    )
}

/// A part of a grant, `reading`, `writing` or a function, that it doesn't have.
pub fn no_such_part(grant: &str, part: &str, functions: &[&str]) -> String {
    let functions = functions.join(", ");
    match part {
        "reading" => format!("{grant} has no function that only reads: it has {functions}"),
        "writing" => format!("{grant} has no function that writes: it has {functions}"),
        _ => format!("{grant} has no function {part}: it has {functions}"),
    }
}

pub fn both_channel_lists(grant: &str) -> String {
    format!("{grant} has both only-in-channels and not-in-channels: keep one of them")
}

pub const HOSTS_WITHOUT_GRANT: &str =
    "http has hosts but isn't granted: add \"http\" to `grants` or remove [http]";

pub const NOT_A_SHA256: &str = "sha256 must be 64 hexadecimal digits: `sha256sum NAME.wasm` prints them";

pub const NOT_A_SETTING: &str = "a setting must be a string, a number, true or false: write it as a string";

pub fn not_a_project_key(text: &str) -> String {
    format!("{text:?} isn't a project key: write it as Jira does, in capitals (\"SCRUM\")")
}

/// An entry of `buttons`.
pub fn not_a_command(text: &str) -> String {
    format!("{text:?} isn't the name of a command: write it without /maro, such as \"untrack\"")
}

pub fn not_a_user_id(text: &str) -> String {
    format!("{text:?} isn't a user ID: copy the member ID from the person's profile in Slack (\"U024BE7LH\")")
}

pub fn not_a_host(text: &str) -> String {
    format!(
        "{text:?} isn't a host: write \"api.example.com\", \"*.example.com\" for all its subdomains, or \
        either with a \
         \":port\"; IP addresses can't be allowed"
    )
}

/// An entry of `hosts` that never leads to the internet.
pub fn private_host(text: &str) -> String {
    format!(
        "{text:?} leads to this machine or a private network: to allow it, list it under `private-hosts` in [http] \
         instead of `hosts`"
    )
}

/// An entry of `private-hosts`.
pub fn not_a_private_host(text: &str) -> String {
    format!(
        "{text:?} isn't a private host: write each by its name, with or without a \":port\" (\"gitlab.internal:8443\"); \
         IP addresses can't be allowed"
    )
}

pub fn not_a_secret_name(text: &str) -> String {
    format!(
        "{text:?} isn't a name for a secret: use up to 64 letters, digits, hyphens and underscores (\"rota-token\")"
    )
}

/// Without what was written.
pub fn not_a_secret(min: usize, max: usize) -> String {
    format!(
        "the value of a secret must have {min} to {max} printable ASCII characters, without a space at either end"
    )
}

pub const NOT_ONE_SECRET: &str = "a secret needs either a `value` or a `file` that holds it";

pub const SECRET_FILE_NOT_ABSOLUTE: &str = "the `file` of a secret must be an absolute path";

pub const SECRETS_WITHOUT_GRANT: &str =
    "there are secrets, but http isn't granted: add \"http\" to `grants` or remove [secrets]";

pub fn limit_out_of_bounds(key: &str, max: u32, value: u32) -> String {
    format!("limit {key} must be from 1 to {max}, not {value}")
}

pub fn unused_grant(grant: &str, file: &str) -> String {
    format!("it's granted {grant} but never uses it: remove \"{grant}\" from `grants` in {file}")
}

pub fn nested_too_deep(levels: usize) -> String {
    format!("tables and lists are nested more than {levels} levels deep")
}

pub fn unreadable_settings(file: &str) -> String {
    format!("it can't read its [settings]: add \"settings\" to `grants` in {file}")
}

pub fn secret_without_host(name: &str, file: &str) -> String {
    format!(
        "its secret {name} can't be sent anywhere: none of that secret's `hosts` is under [http] in {file}, with the same \
         port"
    )
}

pub fn http_without_hosts(file: &str) -> String {
    format!("it's granted http but can't contact any host: list `hosts` under [http] in {file}")
}
