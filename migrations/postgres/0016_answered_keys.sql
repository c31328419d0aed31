-- Whether MARO answers messages of a channel that name issues by their keys alone.
ALTER TABLE channel_notices ADD COLUMN answers_keys boolean NOT NULL DEFAULT false;
