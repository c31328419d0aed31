-- Who changed what, when and where. Written in the transaction of the change, and never changed afterwards.
CREATE TABLE audit_log (
    -- Given by the database. Orders rows of the same moment.
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    -- Empty: the bot's own workspace.
    team_id TEXT NOT NULL DEFAULT '',
    channel_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- Such as track, untrack, create or storage set.
    action TEXT NOT NULL,
    -- What was changed: a key, a name. Never its content.
    subject TEXT NOT NULL,
    -- The plugin that did it, and the SHA-256 of its component. NULL: MARO itself.
    plugin TEXT,
    digest TEXT,
    -- done, refused, begun, failed, missing or uncertain
    outcome TEXT NOT NULL,
    -- Joins the row to the log and to what the person was told. NULL: none was given.
    incident TEXT,
    -- The request that the change was made for, and which handling of it: at the first entry of each. So a request
    -- that is sent again changes nothing.
    request TEXT,
    handling INTEGER
);

CREATE UNIQUE INDEX audit_log_request ON audit_log (request) WHERE request IS NOT NULL;

-- How far the log may be pruned: rows since then can't be removed.
CREATE TABLE audit_retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    kept_since TEXT NOT NULL,
    pruned_at TEXT NOT NULL
);
INSERT INTO audit_retention (id, kept_since, pruned_at)
VALUES (1, '1970-01-01T00:00:00.000000Z', '1970-01-01T00:00:00.000000Z');

CREATE TRIGGER audit_log_is_not_edited BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append only');
END;

CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
WHEN OLD.at >= coalesce((SELECT kept_since FROM audit_retention), '')
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append only');
END;
