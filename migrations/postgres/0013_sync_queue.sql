-- When the issue changed last by Jira's own clock, in milliseconds since 1970, as of what is stored. Null: not known.
ALTER TABLE channel_tracked_issues ADD COLUMN jira_updated_ms BIGINT;

-- What is known of each issue on a list, for all lists that it is on: so a look at Jira that finds nothing new writes
-- one narrow row and none of a list. Rows whose issue is on no list any more are removed when their turn comes.
CREATE TABLE issue_freshness (
    -- As on the lists: an issue that was moved may have several.
    issue_key TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    -- When Jira was last asked. Null: not known.
    asked_at TIMESTAMPTZ,
    -- The same, unless the issue has to be read at once.
    due_at TIMESTAMPTZ NOT NULL DEFAULT '-infinity',
    -- When it changed last, by Jira's own clock, in milliseconds since 1970. Null: Jira didn't say, or doesn't show it.
    updated_ms BIGINT,
    -- Which replica reads it, and until when nobody else does, by the database's clock.
    holder BIGINT,
    held_until_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (issue_key, team_id, site_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX issue_freshness_due ON issue_freshness (due_at);
-- Few are held at a time.
CREATE INDEX issue_freshness_held ON issue_freshness (holder) WHERE held_until_ms > 0;

INSERT INTO issue_freshness (issue_key, team_id, site_id, asked_at, due_at)
SELECT issue_key, team_id, site_id, min(last_synced_at),
    CASE WHEN bool_or(last_synced_at IS NULL) THEN '-infinity'::timestamptz ELSE min(last_synced_at) END
FROM channel_tracked_issues GROUP BY issue_key, team_id, site_id;

-- Whoever writes a row of a list, an older replica or another tool, the issue has its row here. That row is locked even
-- if it stays as it is: so it can't be removed at the same time.
CREATE FUNCTION issue_freshness_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO issue_freshness AS known (issue_key, team_id, site_id, asked_at, due_at, updated_ms)
    VALUES (NEW.issue_key, NEW.team_id, NEW.site_id, NEW.last_synced_at,
        coalesce(NEW.last_synced_at, '-infinity'::timestamptz), NEW.jira_updated_ms)
    ON CONFLICT (issue_key, team_id, site_id) DO UPDATE
    SET due_at = CASE WHEN NEW.jira_updated_ms < known.updated_ms THEN '-infinity'::timestamptz
            ELSE least(known.due_at, excluded.due_at) END
    WHERE excluded.due_at < known.due_at OR NEW.jira_updated_ms < known.updated_ms;
    RETURN NULL;
END
$$;

CREATE TRIGGER channel_tracked_issues_new AFTER INSERT ON channel_tracked_issues
    FOR EACH ROW EXECUTE FUNCTION issue_freshness_follows();
CREATE TRIGGER channel_tracked_issues_renamed AFTER UPDATE OF issue_key ON channel_tracked_issues
    FOR EACH ROW WHEN (NEW.issue_key <> OLD.issue_key AND NEW.issue_key NOT LIKE 'row %')
    EXECUTE FUNCTION issue_freshness_follows();
CREATE TRIGGER channel_tracked_issues_forgotten AFTER UPDATE OF last_synced_at ON channel_tracked_issues
    FOR EACH ROW WHEN (OLD.last_synced_at IS NOT NULL
        AND (NEW.last_synced_at IS NULL OR NEW.last_synced_at < OLD.last_synced_at))
    EXECUTE FUNCTION issue_freshness_follows();

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
    version BIGINT NOT NULL DEFAULT 1,
    -- Times are the database's own clock, in milliseconds since 1970.
    noted_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    -- Which replica reads it, and until when nobody else does.
    holder BIGINT,
    held_until_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (issue, team_id, site_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

-- Webhooks that were taken, for as long as Jira may send them again.
CREATE TABLE handled_webhooks (
    identifier TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    handled_ms BIGINT NOT NULL,
    PRIMARY KEY (identifier, team_id, site_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX handled_webhooks_age ON handled_webhooks (handled_ms);

-- Since when nothing that Jira said has changed was left out, and when an issue was last read though none had changed.
ALTER TABLE jira_polls ADD COLUMN since_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jira_polls ADD COLUMN swept_ms BIGINT NOT NULL DEFAULT 0;
