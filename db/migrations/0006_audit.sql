-- What proves that nobody rewrote the journal: a MAC beside each event, under a key that goes on with each.

CREATE TABLE event_mac (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    mac BLOB NOT NULL CHECK (length(mac) = 16)
) STRICT;
CREATE TRIGGER event_mac_no_update BEFORE UPDATE ON event_mac BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;
CREATE TRIGGER event_mac_no_delete BEFORE DELETE ON event_mac BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;

-- the key of the next event; the start key only until it is in the owner's safe
CREATE TABLE mac_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    next_seq INTEGER NOT NULL CHECK (next_seq > 0),
    key BLOB NOT NULL CHECK (length(key) = 32),
    first_seq INTEGER NOT NULL CHECK (first_seq > 0),
    start BLOB CHECK (start IS NULL OR length(start) = 32)
) STRICT;

CREATE INDEX event_checkpoint ON event (seq) WHERE kind = 'checkpoint';
