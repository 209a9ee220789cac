-- The drawer: what was put in, taken out and opened beside sales, and that a shift is counted once.

-- projection: pay-in (above zero), pay-out (below zero), opening without a sale (zero)
CREATE TABLE drawer_use (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    shift_id BLOB NOT NULL CHECK (length(shift_id) = 16),
    staff_id BLOB NOT NULL CHECK (length(staff_id) = 16),
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    reason TEXT NOT NULL,
    approved_by BLOB,
    CHECK (
        (kind = 'in' AND amount_minor > 0) OR (kind = 'out' AND amount_minor < 0)
        OR (kind = 'open' AND amount_minor = 0)
    )
) STRICT;
CREATE INDEX drawer_use_shift ON drawer_use (shift_id, seq);

-- projection: the count of the drawer, before which nobody sees what it should hold
ALTER TABLE shift ADD COLUMN counted_seq INTEGER REFERENCES event (seq);
CREATE TRIGGER shift_counted_once BEFORE UPDATE OF counted_seq ON shift
WHEN OLD.counted_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a shift is counted once'); END;
CREATE INDEX shift_date ON shift (business_date, opened_seq);
