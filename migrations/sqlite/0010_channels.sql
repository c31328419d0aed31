-- The former ids of channels. Slack gives a channel another id when it becomes private or public, or moves within an
-- organisation. What operators wrote about the old id goes on to hold.
CREATE TABLE former_channels (
    team_id TEXT NOT NULL DEFAULT '',
    old_channel_id TEXT NOT NULL,
    -- Its id today.
    channel_id TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    PRIMARY KEY (team_id, old_channel_id)
);

-- The channels that nobody can write to at the moment. Their lists are kept.
CREATE TABLE paused_channels (
    team_id TEXT NOT NULL DEFAULT '',
    channel_id TEXT NOT NULL,
    -- archived or deleted
    reason TEXT NOT NULL,
    paused_at TEXT NOT NULL,
    PRIMARY KEY (team_id, channel_id)
);

-- Slack's events that changed something, for as long as Slack may send them again.
CREATE TABLE handled_events (
    event_id TEXT PRIMARY KEY NOT NULL,
    -- Names the handling that made the change.
    handling TEXT NOT NULL,
    handled_at TEXT NOT NULL
);
