-- The key before, by which nobody talks any more, and when a till told its newest; 0: not known.
ALTER TABLE till ADD COLUMN former_key BLOB CHECK (length(former_key) = 32);
ALTER TABLE till ADD COLUMN key_ms INTEGER NOT NULL DEFAULT 0;
