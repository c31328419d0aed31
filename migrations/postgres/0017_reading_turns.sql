-- When an issue that a webhook named was last read, by the database's own clock in milliseconds since 1970: replicas read
-- what comes within a second together, in one request.
ALTER TABLE jira_polls ADD COLUMN read_ms BIGINT NOT NULL DEFAULT 0;
