-- By which of head office's addresses a till came last: a host, with its port if that is unusual; '': not known.
ALTER TABLE till ADD COLUMN came_by TEXT NOT NULL DEFAULT '';
