-- When a value of a plugin is gone, in seconds since 1970. Null: when somebody deletes it.
ALTER TABLE plugin_storage ADD COLUMN expires_at INTEGER;
CREATE INDEX plugin_storage_expiry ON plugin_storage (plugin, expires_at) WHERE expires_at IS NOT NULL;
