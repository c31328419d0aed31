-- The key that an issue had on this list before Jira moved it. Null: it wasn't moved.
ALTER TABLE channel_tracked_issues ADD COLUMN former_key TEXT;
