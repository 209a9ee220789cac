-- Points that head office or another system changed by hand, or waits to: who asked, why, who agreed. The note is
-- free text and goes when the person is erased. staff_id, system: who asked, one of them.
CREATE TABLE adjustment (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    adjustment_id BLOB NOT NULL CHECK (length(adjustment_id) = 16),
    member_id BLOB NOT NULL,
    points INTEGER NOT NULL CHECK (points <> 0),
    reason TEXT NOT NULL CHECK (reason IN ('goodwill', 'missed_sale', 'correction', 'other')),
    note TEXT NOT NULL,
    staff_id BLOB,
    system TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('waiting', 'done', 'dropped')),
    business_date INTEGER NOT NULL,
    second_id BLOB,
    PRIMARY KEY (tenant_id, dist_key, adjustment_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id),
    FOREIGN KEY (tenant_id, dist_key, second_id) REFERENCES console_staff (tenant_id, dist_key, staff_id),
    CHECK ((staff_id IS NULL) = (system <> ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX adjustment_of ON adjustment (tenant_id, dist_key, member_id, business_date);
CREATE INDEX adjustment_on ON adjustment (tenant_id, dist_key, standing, business_date);
