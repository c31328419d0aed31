-- Which Jira issues each channel tracks. Times are RFC 3339 in UTC with six decimals, so that they sort as
-- text: 2026-01-31T09:30:00.000000Z.
CREATE TABLE channel_tracked_issues (
    -- Given by the database. Breaks ties between issues tracked at the same moment.
    id INTEGER PRIMARY KEY,
    channel_id TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    tracked_at TEXT NOT NULL,
    tracked_by TEXT NOT NULL,
    -- When Jira was last asked, and what it said. NULL: not yet.
    last_synced_at TEXT,
    last_jira_status TEXT,
    last_jira_summary TEXT,
    -- Jira's immutable id, which outlives a move to another project. NULL: not known yet.
    issue_id TEXT,
    -- command, created, duplicate_link or epic_story
    source TEXT NOT NULL DEFAULT 'command'
);

-- One row for a channel and an issue. The issue comes first, so that the same index also finds every
-- channel that tracks it.
CREATE UNIQUE INDEX channel_tracked_issues_key ON channel_tracked_issues (issue_key, channel_id);
CREATE UNIQUE INDEX channel_tracked_issues_issue ON channel_tracked_issues (issue_id, channel_id)
    WHERE issue_id IS NOT NULL;

-- A page of a list, without sorting: SQLite ends every index with the row's id.
CREATE INDEX channel_tracked_issues_list ON channel_tracked_issues (channel_id, tracked_at);

-- The rows that wait longest for Jira, those never asked about first.
CREATE INDEX channel_tracked_issues_stale ON channel_tracked_issues (coalesce(last_synced_at, ''));

-- Other tools may insert rows with other spellings of the time, which would not sort as text: bring them
-- into the one spelling. A time that SQLite cannot read is left as it is.
CREATE TRIGGER channel_tracked_issues_time AFTER INSERT ON channel_tracked_issues
WHEN NEW.tracked_at NOT GLOB '????-??-??T??:??:??.??????Z'
BEGIN
    UPDATE channel_tracked_issues
    SET tracked_at = coalesce(strftime('%Y-%m-%dT%H:%M:%f000Z', NEW.tracked_at, 'auto'), NEW.tracked_at)
    WHERE id = NEW.id;
END;
