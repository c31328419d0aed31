-- As in PostgreSQL, where several replicas take turns. One process needs none.
ALTER TABLE jira_polls ADD COLUMN read_ms INTEGER NOT NULL DEFAULT 0;
