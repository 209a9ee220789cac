-- Staff: the account and phone of the person, so that their own card is seen; a wait after wrong PINs that is
-- counted in seconds that are left (no clock can shorten it), and the shut-out that only a person ends.

ALTER TABLE staff ADD COLUMN wait_s INTEGER NOT NULL DEFAULT 0 CHECK (wait_s >= 0);
ALTER TABLE staff ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1));
ALTER TABLE staff ADD COLUMN member_id BLOB CHECK (member_id IS NULL OR length(member_id) = 16);
ALTER TABLE staff ADD COLUMN phone TEXT;
UPDATE staff SET blocked = 1 WHERE locked_until_us = 4611686018427387904;
UPDATE staff SET wait_s = 300 WHERE blocked = 0 AND locked_until_us IS NOT NULL;
ALTER TABLE staff DROP COLUMN locked_until_us;

-- projection: the newest sign-in or sign-out of each person
CREATE TABLE staff_sign (
    staff_id BLOB PRIMARY KEY CHECK (length(staff_id) = 16),
    seq INTEGER NOT NULL REFERENCES event (seq),
    signed_in INTEGER NOT NULL CHECK (signed_in IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO staff_sign (staff_id, seq, signed_in)
SELECT unhex(json_extract(CAST(body AS TEXT), '$.staff')), max(seq), 1
FROM event WHERE kind = 'sign_in' GROUP BY 1;
