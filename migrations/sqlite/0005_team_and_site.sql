-- The Slack workspace and the Jira site of each row, for a bot that serves several. Empty: the bot's own.
ALTER TABLE channel_tracked_issues ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE channel_tracked_issues ADD COLUMN site_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket_intents ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket_intents ADD COLUMN site_id TEXT NOT NULL DEFAULT '';
ALTER TABLE created_tickets ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE created_tickets ADD COLUMN site_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_switches ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_switches ADD COLUMN site_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_storage ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_storage ADD COLUMN site_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_storage_usage ADD COLUMN team_id TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_storage_usage ADD COLUMN site_id TEXT NOT NULL DEFAULT '';

-- What will be unique. The narrower keys stay until a later step: the statements of the previous release name
-- them. The id of an intent is random, and stays unique alone.

-- A list is written often, so rows of the bot's own workspace and site are not in these: they cost a write
-- nothing, and the narrower keys hold for them.
CREATE UNIQUE INDEX channel_tracked_issues_team_key
    ON channel_tracked_issues (issue_key, channel_id, team_id, site_id) WHERE team_id <> '' OR site_id <> '';
CREATE UNIQUE INDEX channel_tracked_issues_team_issue
    ON channel_tracked_issues (issue_id, channel_id, team_id, site_id)
    WHERE issue_id IS NOT NULL AND (team_id <> '' OR site_id <> '');

CREATE UNIQUE INDEX created_tickets_team_key ON created_tickets (issue_id, team_id, site_id);
CREATE UNIQUE INDEX plugin_switches_team_key ON plugin_switches (plugin_name, team_id, site_id);
CREATE UNIQUE INDEX plugin_storage_team_key ON plugin_storage (plugin, channel_id, key, team_id, site_id);
CREATE UNIQUE INDEX plugin_storage_usage_team_key
    ON plugin_storage_usage (plugin, channel_id, team_id, site_id);
