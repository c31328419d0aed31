-- Which replica asks Jira for all of them, and until when, by the database's own clock in milliseconds since 1970: so one
-- request serves what several would ask for. Null: none.
ALTER TABLE jira_polls ADD COLUMN leader INTEGER;
ALTER TABLE jira_polls ADD COLUMN leads_until_ms INTEGER NOT NULL DEFAULT 0;
