-- Which plugins administrators have rolled back to an earlier version.
CREATE TABLE plugin_rollbacks (
    plugin_name TEXT NOT NULL,
    -- The content of the plugin's file: with any other, the row has no effect.
    file_content TEXT NOT NULL,
    -- The content that runs instead.
    kept_content TEXT NOT NULL,
    rolled_back_by TEXT NOT NULL,
    rolled_back_at TEXT NOT NULL,
    team_id TEXT NOT NULL DEFAULT '',
    site_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (plugin_name, team_id, site_id)
);
