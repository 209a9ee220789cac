-- What reports read: each event's sums, one row an event that counts in a figure (projection, `verify`
-- derives it again). Amounts are signed: what a return or a void takes back is below zero.

CREATE TABLE event_figures (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    kind TEXT NOT NULL,
    undoes TEXT,
    business_date INTEGER NOT NULL,
    minute INTEGER NOT NULL CHECK (minute BETWEEN 0 AND 1439),
    staff_id BLOB,
    shift_id BLOB,
    member_id BLOB,
    tier_rank INTEGER,
    reason TEXT,
    gross_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    points_value_minor INTEGER NOT NULL,
    paid_minor INTEGER NOT NULL,
    points_issued INTEGER NOT NULL,
    points_redeemed INTEGER NOT NULL,
    points_expired INTEGER NOT NULL
) STRICT;
CREATE INDEX event_figures_date ON event_figures (business_date, seq);
CREATE INDEX event_figures_count ON event_figures (shift_id, seq) WHERE kind = 'count';

-- its money by tender, category and tax rate, and the changes of tier
CREATE TABLE event_share (
    seq INTEGER NOT NULL REFERENCES event_figures (seq),
    n INTEGER NOT NULL CHECK (n >= 0),
    part TEXT NOT NULL CHECK (part IN ('tender', 'category', 'tax', 'tier')),
    key TEXT NOT NULL,
    amount INTEGER NOT NULL,
    extra INTEGER NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

-- up to which event the rows above are filled; gone once they are (app/projections.py)
INSERT INTO meta (key, value) VALUES ('figures_filled', '0');
