-- The status that Jira last showed on this list, as a JSON array of its id, its category's key and its name, each null if
-- it isn't known: a status that is only called otherwise by now isn't told as a change, and an issue that was hidden is
-- told if it comes back in another. Null: not known. It says something only while last_jira_status is that name, or none.
ALTER TABLE channel_tracked_issues ADD COLUMN shown_status TEXT;

-- The ids of the fields, as a JSON object that has an array of id and name for each. Null: not known. An id counts only
-- while the field has that name.
ALTER TABLE issue_fields ADD COLUMN ids TEXT;

-- Keys that issues had on lists when they were moved or untracked: the audit log knows them by these.
CREATE TABLE earlier_keys (
    issue_id TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (issue_id, issue_key, team_id, site_id)
);
CREATE INDEX earlier_keys_key ON earlier_keys (issue_key);

INSERT INTO earlier_keys (issue_id, issue_key, team_id, site_id)
SELECT DISTINCT issue_id, former_key, team_id, site_id FROM channel_tracked_issues
WHERE issue_id IS NOT NULL AND former_key IS NOT NULL;

CREATE TRIGGER channel_tracked_issues_untracked AFTER DELETE ON channel_tracked_issues
WHEN OLD.issue_id IS NOT NULL AND OLD.issue_key NOT LIKE 'row %'
BEGIN
    INSERT INTO earlier_keys (issue_id, issue_key, team_id, site_id)
    VALUES (OLD.issue_id, OLD.issue_key, OLD.team_id, OLD.site_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER channel_tracked_issues_moved AFTER UPDATE OF former_key ON channel_tracked_issues
WHEN NEW.issue_id IS NOT NULL AND NEW.former_key IS NOT NULL
BEGIN
    INSERT INTO earlier_keys (issue_id, issue_key, team_id, site_id)
    VALUES (NEW.issue_id, NEW.former_key, NEW.team_id, NEW.site_id) ON CONFLICT DO NOTHING;
END;
