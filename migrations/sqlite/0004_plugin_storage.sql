-- The texts that plugins keep. Keys and values are blobs of UTF-8: no collation, and room for any character.
CREATE TABLE plugin_storage (
    -- The name of the subcommand.
    plugin TEXT NOT NULL,
    -- Empty for what belongs to the plugin in all channels.
    channel_id TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (plugin, channel_id, key)
);

-- How much that is, written together with it, so that a limit is checked without counting.
CREATE TABLE plugin_storage_usage (
    plugin TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    keys INTEGER NOT NULL,
    -- Of keys and values.
    bytes INTEGER NOT NULL,
    PRIMARY KEY (plugin, channel_id)
) WITHOUT ROWID;
