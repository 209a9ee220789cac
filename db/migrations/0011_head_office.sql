-- A till's dealings with head office; a till without one has no row in any of these.

-- what the till knows of them, replaced whole (app/protocol/till_store.py, Control), and whom it deals with
CREATE TABLE head_office (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    address TEXT NOT NULL,
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    their_key BLOB NOT NULL CHECK (length(their_key) = 32),
    control BLOB NOT NULL,
    heard_us INTEGER
) STRICT;

-- where an own event stands for head office, in each epoch that it was chained in
CREATE TABLE link (
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    seq INTEGER NOT NULL CHECK (seq > 0),
    event_id BLOB NOT NULL REFERENCES event (id),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER link_no_update BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'links are insert only'); END;
CREATE TRIGGER link_no_delete BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'links are insert only'); END;

-- a member as head office has it; `incl` is the last own event that is in it
CREATE TABLE member_base (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    incl INTEGER NOT NULL CHECK (incl >= 0),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    alias BLOB CHECK (alias IS NULL OR length(alias) = 16),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX member_base_alias ON member_base (alias) WHERE alias IS NOT NULL;

-- profile fields that were written here and that head office has not answered yet
CREATE TABLE dirty_cell (
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    field TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (member_id, field)
) STRICT, WITHOUT ROWID;

-- answers to notices as head office has them; they stand above the till's own
CREATE TABLE consent_base (
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    PRIMARY KEY (member_id, purpose, channel)
) STRICT, WITHOUT ROWID;

-- tiers, rules, prices … as head office has published them
CREATE TABLE reference_set (
    key TEXT PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
