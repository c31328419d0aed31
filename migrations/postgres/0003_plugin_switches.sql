-- Which plugins administrators have switched off.
CREATE TABLE plugin_switches (
    plugin_name TEXT PRIMARY KEY,
    -- Slack's id of who switched it off last.
    disabled_by TEXT NOT NULL,
    disabled_at TIMESTAMPTZ NOT NULL,
    -- Who switched it on again after that. Null while it is off.
    enabled_by TEXT,
    enabled_at TIMESTAMPTZ
);

-- Which files that do not serve the operators have been told of, so that replicas and restarts do not
-- repeat it.
CREATE TABLE plugin_refusals (
    file_name TEXT PRIMARY KEY,
    -- Stands for the component with its manifest.
    content TEXT NOT NULL,
    told_at TIMESTAMPTZ NOT NULL
);
