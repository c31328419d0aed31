//! A slash command, from Slack's form to domain types.
//!
//! Slack's fields: <https://docs.slack.dev/interactivity/implementing-slash-commands>. `token`
//! (superseded by the signature) and the deprecated `team_domain` aren't kept. `user_name` is deprecated too,
//! and may be missing one day.

use serde::Deserialize;

use crate::{
    outgoing::response_url::{ResponseUrl, ResponseUrlPolicy},
    urlencoded,
};
use maro_domain::ids::{ChannelId, UserId};

/// The longest text after the command, in bytes. Slack's composer accepts fewer characters.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The longest value of any other field, in bytes.
const MAX_FIELD_BYTES: usize = 2048;

/// What a body posted to the command address turns out to be.
#[derive(Debug)]
pub enum CommandRequest {
    Command(Box<SlashCommand>),
    /// Slack checks our certificate and expects an empty 200.
    SslCheck,
}

/// One `/maro …` that somebody typed.
#[derive(Debug)]
pub struct SlashCommand {
    /// With its slash: `/maro`.
    pub command: String,
    /// The text after the command, as typed. May be empty.
    pub text: String,
    pub channel: ChannelId,
    /// `directmessage` or `privategroup` outside public channels, which must not be shown as a name.
    pub channel_name: Option<String>,
    pub user: UserId,
    /// What Slack calls the person. It can change, so it doesn't identify them.
    pub user_name: Option<String>,
    pub team_id: Option<String>,
    pub enterprise_id: Option<String>,
    pub api_app_id: Option<String>,
    /// Opens one modal within three seconds.
    pub trigger_id: Option<String>,
    /// Where later answers go. `None` if Slack sent none, or one that mustn't be contacted.
    pub response_url: Option<ResponseUrl>,
}

/// Why a signed body isn't a slash command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("the body isn't valid UTF-8 in {field}")]
    NotUtf8 { field: String },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is malformed")]
    Malformed { field: &'static str },
    #[error("{field} is longer than {max_bytes} bytes")]
    TooLong { field: &'static str, max_bytes: usize },
    /// A request must not be readable in two ways.
    #[error("{field} is there twice")]
    Repeated { field: &'static str },
    #[error("the payload isn't a JSON object of strings")]
    NotJson,
}

/// Reads a slash command's body. Unknown fields are ignored, since Slack adds some now and then.
///
/// # Errors
/// [`CommandError`], which names the field.
pub fn parse(body: &[u8], policy: &ResponseUrlPolicy) -> Result<CommandRequest, CommandError> {
    let mut fields = Fields::default();
    for (name, value) in urlencoded::raw_fields(body) {
        let Ok(name) = urlencoded::decode(name) else {
            return Err(CommandError::NotUtf8 { field: "the name of a field".to_owned() });
        };
        let Ok(value) = urlencoded::decode(value) else {
            return Err(CommandError::NotUtf8 { field: name.chars().take(40).collect() });
        };
        if name == "ssl_check" && value == "1" {
            return Ok(CommandRequest::SslCheck);
        }
        if let Some((field, slot)) = fields.slot(&name) {
            check_length(field, &value)?;
            if slot.replace(value.into_owned()).is_some() {
                return Err(CommandError::Repeated { field });
            }
        }
    }
    fields.into_command(policy).map(|command| CommandRequest::Command(Box::new(command)))
}

/// Reads the same fields from JSON, the form in which Socket Mode sends them.
///
/// # Errors
/// [`CommandError`], which names the field.
pub fn parse_json(json: &str, policy: &ResponseUrlPolicy) -> Result<SlashCommand, CommandError> {
    let mut fields: Fields = serde_json::from_str(json).map_err(|_| CommandError::NotJson)?;
    for name in FIELDS {
        let Some((field, Some(value))) = fields.slot(name) else { continue };
        check_length(field, value)?;
    }
    fields.into_command(policy)
}

/// Whether a body is Slack's check of our certificate. Such a body may come without a signature. It asks for
/// nothing and reveals nothing, so it may be answered before the signature is checked.
pub fn is_ssl_check(body: &[u8]) -> bool {
    urlencoded::raw_fields(body).any(|field| field == (b"ssl_check", b"1"))
}

/// The names of [`Fields`].
const FIELDS: [&str; 11] = [
    "command",
    "text",
    "channel_id",
    "channel_name",
    "user_id",
    "user_name",
    "team_id",
    "enterprise_id",
    "api_app_id",
    "trigger_id",
    "response_url",
];

/// The fields as they arrive. Any of them may be missing.
#[derive(Default, Deserialize)]
struct Fields {
    command: Option<String>,
    text: Option<String>,
    channel_id: Option<String>,
    channel_name: Option<String>,
    user_id: Option<String>,
    user_name: Option<String>,
    team_id: Option<String>,
    enterprise_id: Option<String>,
    api_app_id: Option<String>,
    trigger_id: Option<String>,
    response_url: Option<String>,
}

impl Fields {
    fn slot(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        Some(match name {
            "command" => ("command", &mut self.command),
            "text" => ("text", &mut self.text),
            "channel_id" => ("channel_id", &mut self.channel_id),
            "channel_name" => ("channel_name", &mut self.channel_name),
            "user_id" => ("user_id", &mut self.user_id),
            "user_name" => ("user_name", &mut self.user_name),
            "team_id" => ("team_id", &mut self.team_id),
            "enterprise_id" => ("enterprise_id", &mut self.enterprise_id),
            "api_app_id" => ("api_app_id", &mut self.api_app_id),
            "trigger_id" => ("trigger_id", &mut self.trigger_id),
            "response_url" => ("response_url", &mut self.response_url),
            _ => return None,
        })
    }

    fn into_command(self, policy: &ResponseUrlPolicy) -> Result<SlashCommand, CommandError> {
        let command = required(self.command, "command")?;
        if !command.starts_with('/') {
            return Err(CommandError::Malformed { field: "command" });
        }
        let channel = ChannelId::parse(&required(self.channel_id, "channel_id")?)
            .map_err(|_| CommandError::Malformed { field: "channel_id" })?;
        let user = UserId::parse(&required(self.user_id, "user_id")?)
            .map_err(|_| CommandError::Malformed { field: "user_id" })?;
        Ok(SlashCommand {
            command,
            text: self.text.unwrap_or_default(),
            channel,
            channel_name: present(self.channel_name),
            user,
            user_name: present(self.user_name),
            team_id: present(self.team_id),
            enterprise_id: present(self.enterprise_id),
            api_app_id: present(self.api_app_id),
            trigger_id: present(self.trigger_id),
            response_url: present(self.response_url).and_then(|url| policy.admit(&url)),
        })
    }
}

fn check_length(field: &'static str, value: &str) -> Result<(), CommandError> {
    let max_bytes = if field == "text" { MAX_TEXT_BYTES } else { MAX_FIELD_BYTES };
    if value.len() > max_bytes { Err(CommandError::TooLong { field, max_bytes }) } else { Ok(()) }
}

fn required(value: Option<String>, field: &'static str) -> Result<String, CommandError> {
    present(value).ok_or(CommandError::Missing { field })
}

fn present(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::config::SlackConfig;
    use maro_process::secret::Secret;

    // The example from Slack's documentation, with today's fields.
    const BODY: &str = "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example\
        &enterprise_id=E0001&enterprise_name=Globular%20Construct%20Inc&channel_id=C2147483705\
        &channel_name=test&user_id=U2147483697&user_name=Steve&command=/maro&text=track+SCRUM-1%2C%0Ascrum-2\
        &response_url=https://hooks.slack.com/commands/1234/5678&trigger_id=13345224609.738474920.8088930838d88f008e0\
        &api_app_id=A123456&is_enterprise_install=false";

    fn policy() -> ResponseUrlPolicy {
        ResponseUrlPolicy::new(&SlackConfig::new(
            Url::parse("https://slack.com/api").unwrap(),
            Secret::new("xoxb-1"),
        ))
    }

    fn parse(body: &[u8]) -> Result<CommandRequest, CommandError> {
        super::parse(body, &policy())
    }

    fn parse_command(body: &str) -> SlashCommand {
        match parse(body.as_bytes()).unwrap() {
            CommandRequest::Command(command) => *command,
            CommandRequest::SslCheck => panic!("not a command"),
        }
    }

    #[test]
    fn every_field_is_kept() {
        let command = parse_command(BODY);
        assert_eq!(command.command, "/maro");
        assert_eq!(command.text, "track SCRUM-1,\nscrum-2");
        assert_eq!(command.channel.as_str(), "C2147483705");
        assert_eq!(command.channel_name.as_deref(), Some("test"));
        assert_eq!(command.user.as_str(), "U2147483697");
        assert_eq!(command.user_name.as_deref(), Some("Steve"));
        assert_eq!(command.team_id.as_deref(), Some("T0001"));
        assert_eq!(command.enterprise_id.as_deref(), Some("E0001"));
        assert_eq!(command.api_app_id.as_deref(), Some("A123456"));
        assert_eq!(command.trigger_id.as_deref(), Some("13345224609.738474920.8088930838d88f008e0"));
        assert!(command.response_url.is_some());
    }

    #[test]
    fn what_maro_can_do_without_may_be_missing() {
        let command = parse_command("command=%2Fmaro&channel_id=C1&user_id=U1&text=&trigger_id=");
        assert_eq!((command.text.as_str(), command.trigger_id), ("", None));
        assert!(command.response_url.is_none());
    }

    #[test]
    fn the_same_fields_are_read_as_json() {
        let policy = policy();
        let json = r#"{"command":"/maro","text":"track A-1","channel_id":"C1","user_id":"U1","new":[1]}"#;
        let command = parse_json(json, &policy).unwrap();
        assert_eq!((command.text.as_str(), command.channel.as_str()), ("track A-1", "C1"));
        let long = format!(r#"{{"command":"/maro","trigger_id":"{}"}}"#, "x".repeat(MAX_FIELD_BYTES + 1));
        for (json, error) in [
            ("command=/maro", CommandError::NotJson),
            (r#"{"command":7}"#, CommandError::NotJson),
            (r#"{"command":"/maro","command":"/other"}"#, CommandError::NotJson),
            (r#"{"command":"/maro","channel_id":"C1"}"#, CommandError::Missing { field: "user_id" }),
            (&long, CommandError::TooLong { field: "trigger_id", max_bytes: MAX_FIELD_BYTES }),
        ] {
            assert_eq!(parse_json(json, &policy).unwrap_err(), error, "{json}");
        }
    }

    #[test]
    fn a_strangers_response_url_is_as_good_as_none() {
        let body = "command=%2Fmaro&channel_id=C1&user_id=U1&response_url=http%3A%2F%2F169.254.169.254%2F";
        assert!(parse_command(body).response_url.is_none());
    }

    #[test]
    fn a_certificate_check_is_no_command() {
        assert!(matches!(parse(b"token=x&ssl_check=1"), Ok(CommandRequest::SslCheck)));
        assert!(is_ssl_check(b"ssl_check=1&token=x"));
        assert!(!is_ssl_check(b"text=ssl_check=1&x_ssl_check=1&ssl_check=0"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let missing = |field| CommandError::Missing { field };
        let malformed = |field| CommandError::Malformed { field };
        let long_text = format!("command=/maro&text={}", "x".repeat(MAX_TEXT_BYTES + 1));
        for (body, error) in [
            ("", missing("command")),
            ("{\"command\":\"/maro\"}", missing("command")),
            ("command=maro&channel_id=C1&user_id=U1", malformed("command")),
            ("command=/maro&user_id=U1", missing("channel_id")),
            ("command=/maro&channel_id=&user_id=U1", missing("channel_id")),
            ("command=/maro&channel_id=C1%3E&user_id=U1", malformed("channel_id")),
            ("command=/maro&channel_id=C1", missing("user_id")),
            ("command=/maro&channel_id=C1&user_id=u1", malformed("user_id")),
            ("command=/maro&channel_id=C1&channel_id=C2", CommandError::Repeated { field: "channel_id" }),
            (&long_text, CommandError::TooLong { field: "text", max_bytes: MAX_TEXT_BYTES }),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err(), error);
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused_plain_or_encoded() {
        for body in [&b"command=/maro&text=\xff"[..], b"command=/maro&text=%ff", b"command=/maro&text=a+%C3"]
        {
            assert_eq!(
                parse(body).unwrap_err().to_string(),
                "the body isn't valid UTF-8 in text",
                "{body:?}"
            );
        }
        assert!(matches!(parse(b"%ff=1"), Err(CommandError::NotUtf8 { .. })));
    }
}
