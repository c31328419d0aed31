-- The bot's own workspace in Slack, for starts while Slack doesn't answer. There is one row.
CREATE TABLE slack_workspace (
    number INTEGER PRIMARY KEY NOT NULL CHECK (number = 1),
    team_id TEXT NOT NULL,
    -- The organisation that the workspace belongs to. Empty if it belongs to none.
    enterprise_id TEXT NOT NULL DEFAULT '',
    -- 1 if the bot is installed for the whole organisation, otherwise 0.
    is_enterprise_install INTEGER NOT NULL DEFAULT 0,
    -- What the app may do, separated by spaces.
    scopes TEXT NOT NULL DEFAULT '',
    learned_at TEXT NOT NULL
);

-- Whether Jira lets only some people see the issue. Null: Jira wasn't asked.
ALTER TABLE channel_tracked_issues ADD COLUMN has_security_level INTEGER;
