-- When the issue had changed last, by Jira's own clock in milliseconds since 1970, as of what is stored. Null: not known.
ALTER TABLE issue_fields ADD COLUMN updated_ms BIGINT;

-- The channel that an event is about, and when it happened by Slack's clock, in microseconds since 1970: what comes late
-- changes nothing. Null: the event isn't about one channel, or an older MARO has noted it.
ALTER TABLE handled_events ADD COLUMN channel_id TEXT;
ALTER TABLE handled_events ADD COLUMN happened_us BIGINT;
CREATE INDEX handled_events_channel ON handled_events (channel_id, happened_us) WHERE channel_id IS NOT NULL;
CREATE INDEX handled_events_age ON handled_events (handled_at);
