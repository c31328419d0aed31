-- When a channel gets its digest: `daily 9:00` or `weekly mon 9:00`, in this time zone (null: UTC, nobody's is known),
-- and the next time, which whoever begins the digest moves on.
ALTER TABLE channel_notices ADD COLUMN digest_schedule TEXT;
ALTER TABLE channel_notices ADD COLUMN digest_zone TEXT;
ALTER TABLE channel_notices ADD COLUMN digest_due_at TEXT;
CREATE INDEX channel_notices_digest ON channel_notices (digest_due_at) WHERE mode = 'digest';

-- A notice can also be kept (for the next digest), and have the kinds assignee, priority, sprint, comments (how many, and
-- the id of the last, in place of statuses) and finished (an issue that has been done for long).
CREATE INDEX notice_outbox_kept ON notice_outbox (channel_id) WHERE state = 'kept';

-- Since when the issues of each list have been done. Without a row: since the issue was tracked at least.
CREATE TABLE done_issues (
    channel_id TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    since TEXT NOT NULL,
    -- Whether it was offered for removal.
    is_offered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel_id, issue_id, team_id, site_id)
);

-- Of what is done already, nobody knows since when.
INSERT INTO done_issues (channel_id, issue_id, team_id, site_id, since)
SELECT DISTINCT channel_id, issue_id, team_id, site_id, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') FROM channel_tracked_issues
WHERE last_jira_category = 'done' AND issue_id IS NOT NULL;

-- What is known of the fields of issues that some channel hears all about, to tell what changed.
CREATE TABLE issue_fields (
    issue_id TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- Names as Jira shows them. Empty: none.
    assignee TEXT NOT NULL,
    priority TEXT NOT NULL,
    sprint TEXT NOT NULL,
    -- The id of the last comment. 0: none.
    last_comment INTEGER NOT NULL,
    PRIMARY KEY (issue_id, team_id, site_id)
);

-- When a link to an issue was last shown in a channel. Times whose names end in _ms are the database's own clock.
CREATE TABLE shown_links (
    channel_id TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    shown_ms INTEGER NOT NULL,
    PRIMARY KEY (channel_id, issue_key, team_id, site_id)
);
