-- When Jira was last asked what has changed on its site, of which the replicas take turns. Times are the database's own
-- clock, in milliseconds since 1970.
CREATE TABLE jira_polls (
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    asked_ms INTEGER NOT NULL,
    -- What changed before that is known.
    known_ms INTEGER NOT NULL,
    PRIMARY KEY (team_id, site_id)
);
