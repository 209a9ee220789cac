-- What the close of a day asks for: lots and tiers that are due, and the events of closes and backups.

-- Points by expiry: a close books what has lapsed without looking at every member.
CREATE INDEX lot_due ON lot (expires, member_id) WHERE asset = 'points';

-- projection: until when the member's standing tier is kept, NULL where no change of tier stands
ALTER TABLE member_state ADD COLUMN tier_until INTEGER;
UPDATE member_state SET tier_until = (
    SELECT json_extract(value, '$[5]') FROM json_each(rest, '$.t')
    ORDER BY json_extract(value, '$[3]') DESC, key LIMIT 1
);
CREATE INDEX member_state_tier ON member_state (tier_until, member_id) WHERE tier_until IS NOT NULL;

-- Sales whose points and spend count from a later date may lift a tier by date alone.
CREATE INDEX member_day_pending ON member_day (counts_from, member_id) WHERE counts_from > business_date;

CREATE INDEX event_day_close ON event (seq) WHERE kind = 'day_close';
CREATE INDEX event_backup ON event (seq) WHERE kind = 'backup';

-- The till's own signing key (Ed25519), under the store's cipher like everything here.
CREATE TABLE till_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT;
