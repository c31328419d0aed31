-- When the issue changed last by Jira's own clock, in milliseconds since 1970, as of what is stored. Null: not known.
ALTER TABLE channel_tracked_issues ADD COLUMN jira_updated_ms INTEGER;

-- What is known of each issue on a list, for all lists that it is on: so a look at Jira that finds nothing new writes
-- one narrow row and none of a list. Rows whose issue is on no list any more are removed when their turn comes.
CREATE TABLE issue_freshness (
    -- As on the lists: an issue that was moved may have several.
    issue_key TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- When Jira was last asked. Null: not known.
    asked_at TEXT,
    -- The same, unless the issue has to be read at once: then it's empty.
    due_at TEXT NOT NULL DEFAULT '',
    -- When it changed last, by Jira's own clock, in milliseconds since 1970. Null: Jira didn't say, or doesn't show it.
    updated_ms INTEGER,
    -- Which replica reads it, and until when nobody else does, by the system's clock.
    holder INTEGER,
    held_until_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (issue_key, team_id, site_id)
);

CREATE INDEX issue_freshness_due ON issue_freshness (due_at);
-- Few are held at a time.
CREATE INDEX issue_freshness_held ON issue_freshness (holder) WHERE held_until_ms > 0;

INSERT INTO issue_freshness (issue_key, team_id, site_id, asked_at, due_at)
SELECT issue_key, team_id, site_id, min(last_synced_at), min(coalesce(last_synced_at, ''))
FROM channel_tracked_issues GROUP BY issue_key, team_id, site_id;

-- Whoever writes a row of a list, an older program or another tool, the issue has its row here.
CREATE TRIGGER channel_tracked_issues_new AFTER INSERT ON channel_tracked_issues
BEGIN
    INSERT INTO issue_freshness (issue_key, team_id, site_id, asked_at, due_at, updated_ms)
    VALUES (NEW.issue_key, NEW.team_id, NEW.site_id, NEW.last_synced_at, coalesce(NEW.last_synced_at, ''),
        NEW.jira_updated_ms)
    ON CONFLICT (issue_key, team_id, site_id) DO UPDATE
    SET due_at = iif(NEW.jira_updated_ms < issue_freshness.updated_ms, '', min(issue_freshness.due_at, excluded.due_at))
    WHERE excluded.due_at < issue_freshness.due_at OR NEW.jira_updated_ms < issue_freshness.updated_ms;
END;

CREATE TRIGGER channel_tracked_issues_renamed AFTER UPDATE OF issue_key ON channel_tracked_issues
WHEN NEW.issue_key <> OLD.issue_key AND NEW.issue_key NOT LIKE 'row %'
BEGIN
    INSERT INTO issue_freshness (issue_key, team_id, site_id, asked_at, due_at, updated_ms)
    VALUES (NEW.issue_key, NEW.team_id, NEW.site_id, NEW.last_synced_at, coalesce(NEW.last_synced_at, ''),
        NEW.jira_updated_ms)
    ON CONFLICT (issue_key, team_id, site_id) DO UPDATE
    SET due_at = iif(NEW.jira_updated_ms < issue_freshness.updated_ms, '', min(issue_freshness.due_at, excluded.due_at))
    WHERE excluded.due_at < issue_freshness.due_at OR NEW.jira_updated_ms < issue_freshness.updated_ms;
END;

CREATE TRIGGER channel_tracked_issues_forgotten AFTER UPDATE OF last_synced_at ON channel_tracked_issues
WHEN OLD.last_synced_at IS NOT NULL AND coalesce(NEW.last_synced_at, '') < OLD.last_synced_at
BEGIN
    UPDATE issue_freshness SET due_at = min(due_at, coalesce(NEW.last_synced_at, ''))
    WHERE issue_key = NEW.issue_key AND team_id = NEW.team_id AND site_id = NEW.site_id;
END;

-- Issues that Jira's webhooks say have changed, until they are read. One row for each issue, however many webhooks come.
CREATE TABLE webhook_queue (
    -- Its id, or its key if the webhook didn't say the id.
    issue TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    issue_id TEXT,
    issue_key TEXT NOT NULL,
    -- SHA-256 of the status that somebody set, and who: no other word of a webhook is kept.
    status_digest TEXT,
    set_by TEXT,
    -- Counts the webhooks: what comes while the issue is read has it read again.
    version INTEGER NOT NULL DEFAULT 1,
    -- Times are the system's clock, in milliseconds since 1970.
    noted_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    -- Which replica reads it, and until when nobody else does.
    holder INTEGER,
    held_until_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (issue, team_id, site_id)
);

-- Webhooks that were taken, for as long as Jira may send them again.
CREATE TABLE handled_webhooks (
    identifier TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- Names the statement that took it.
    handling TEXT NOT NULL,
    handled_ms INTEGER NOT NULL,
    PRIMARY KEY (identifier, team_id, site_id)
) WITHOUT ROWID;

CREATE INDEX handled_webhooks_age ON handled_webhooks (handled_ms);

-- Since when nothing that Jira said has changed was left out, and when an issue was last read though none had changed.
ALTER TABLE jira_polls ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jira_polls ADD COLUMN swept_ms INTEGER NOT NULL DEFAULT 0;
