-- Which plugins administrators have switched off. Times are spelled as in channel_tracked_issues.
CREATE TABLE plugin_switches (
    plugin_name TEXT PRIMARY KEY NOT NULL,
    -- Slack's id of who switched it off last.
    disabled_by TEXT NOT NULL,
    disabled_at TEXT NOT NULL,
    -- Who switched it on again after that. Null while it is off.
    enabled_by TEXT,
    enabled_at TEXT
);

-- Which files that do not serve the operators have been told of, so that replicas and restarts do not
-- repeat it.
CREATE TABLE plugin_refusals (
    file_name TEXT PRIMARY KEY NOT NULL,
    -- Stands for the component with its manifest.
    content TEXT NOT NULL,
    told_at TEXT NOT NULL
);
