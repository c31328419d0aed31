-- What the last status means to Jira: new, indeterminate or done. Null: not known.
ALTER TABLE channel_tracked_issues ADD COLUMN last_jira_category TEXT;

-- Times whose names end in _ms are the database's own clock, in milliseconds since 1970: replicas' clocks differ.

-- What a channel wants to hear, and its place in the queue of the workers. A channel without a row hears of changes of
-- status category.
CREATE TABLE channel_notices (
    channel_id TEXT NOT NULL,
    -- Empty: the bot's own.
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- status, all, done or off
    mode TEXT NOT NULL DEFAULT 'status',
    -- Whether the channel knows that notices can be turned on and off.
    is_introduced INTEGER NOT NULL DEFAULT 0,
    -- When the next message may be sent. Null: nothing is waiting.
    due_ms INTEGER,
    -- Which worker has it, and until when.
    holder INTEGER,
    held_until_ms INTEGER NOT NULL DEFAULT 0,
    -- Why Slack takes no messages, and how often it was tried. Null: it does.
    paused_for TEXT,
    pauses INTEGER NOT NULL DEFAULT 0,
    -- The last message about many issues, which later changes are added to.
    bulk_ts TEXT,
    bulk_ms INTEGER,
    PRIMARY KEY (channel_id, team_id, site_id)
);

CREATE INDEX channel_notices_due ON channel_notices (due_ms) WHERE due_ms IS NOT NULL;

-- The changes to tell, each written with the row that it changes.
CREATE TABLE notice_outbox (
    -- Given by the database: the order in which they're told.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    issue_id TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    -- status, or introduction: how to turn notices on
    kind TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    -- Null: Jira does not say.
    set_by TEXT,
    noted_at TEXT NOT NULL,
    -- waiting, sending, sent, lost (nobody knows whether it was sent) or withheld
    state TEXT NOT NULL DEFAULT 'waiting',
    -- Why it was withheld.
    reason TEXT,
    -- The message that tells it.
    message_ts TEXT
);

CREATE INDEX notice_outbox_open ON notice_outbox (channel_id, id) WHERE state IN ('waiting', 'sending');
-- What is in one message.
CREATE INDEX notice_outbox_message ON notice_outbox (channel_id, message_ts) WHERE message_ts IS NOT NULL;
CREATE INDEX notice_outbox_age ON notice_outbox (noted_at);

-- The thread of each issue in each channel.
CREATE TABLE notice_threads (
    channel_id TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- Whether the channel wants to hear nothing of it.
    is_muted INTEGER NOT NULL DEFAULT 0,
    -- The message that begins it. Null: none. Empty: it may have been sent.
    head_ts TEXT,
    -- Whether it is a head line, which is kept up to date.
    is_head_line INTEGER NOT NULL DEFAULT 0,
    -- The last answer, which later changes are added to, where it began, and whether it has buttons.
    reply_ts TEXT,
    reply_from TEXT,
    reply_ms INTEGER,
    has_choice INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel_id, issue_id, team_id, site_id)
);

-- Issues whose status MARO is changing just now, which nobody has to be told of.
CREATE TABLE own_changes (
    issue_key TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (issue_key, team_id, site_id)
);

-- Channels from before this release hear nothing until somebody turns it on.
INSERT INTO channel_notices (channel_id, mode) SELECT DISTINCT channel_id, 'off' FROM channel_tracked_issues;
