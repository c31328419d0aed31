-- What MARO is about to do in Jira for somebody, written down before and after Jira is asked.
CREATE TABLE ticket_intents (
    -- Given by MARO, and known to Jira: a ticket carries the id of its intent.
    id TEXT PRIMARY KEY,
    -- create, link or stories
    kind TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- draft, begun, confirmed, finished or failed
    state TEXT NOT NULL,
    -- JSON, as its flow understands it.
    data TEXT NOT NULL,
    -- Names the last write. Random, and another after every write.
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- The time of the last write, from which the holder's lease runs.
    updated_at TIMESTAMPTZ NOT NULL
);

-- Those that nobody finishes, and those that can be forgotten.
CREATE INDEX ticket_intents_state ON ticket_intents (state, updated_at);

-- The tickets that MARO created lately, which Jira's search does not find yet.
CREATE TABLE created_tickets (
    issue_id TEXT PRIMARY KEY,
    issue_key TEXT NOT NULL,
    project_key TEXT NOT NULL,
    summary TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX created_tickets_project ON created_tickets (project_key, created_at);
CREATE INDEX created_tickets_age ON created_tickets (created_at);
