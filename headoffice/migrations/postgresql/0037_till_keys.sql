-- The key before, by which nobody talks any more, and when a till told its newest; 0: not known.
ALTER TABLE till ADD COLUMN former_key bytea CHECK (length(former_key) = 32);
ALTER TABLE till ADD COLUMN key_ms bigint NOT NULL DEFAULT 0;
