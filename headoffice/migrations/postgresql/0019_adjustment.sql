-- Points that head office or another system changed by hand, or waits to: who asked, why, who agreed. The note is
-- free text and goes when the person is erased. staff_id, system: who asked, one of them.
CREATE TABLE adjustment (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    adjustment_id bytea NOT NULL CHECK (length(adjustment_id) = 16),
    member_id bytea NOT NULL,
    points bigint NOT NULL CHECK (points <> 0),
    reason text COLLATE "C" NOT NULL CHECK (reason IN ('goodwill', 'missed_sale', 'correction', 'other')),
    note text NOT NULL,
    staff_id bytea,
    system text COLLATE "C" NOT NULL,
    at_ms bigint NOT NULL,
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('waiting', 'done', 'dropped')),
    business_date bigint NOT NULL,
    second_id bytea,
    PRIMARY KEY (tenant_id, dist_key, adjustment_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id),
    FOREIGN KEY (tenant_id, dist_key, second_id) REFERENCES console_staff (tenant_id, dist_key, staff_id),
    CHECK ((staff_id IS NULL) = (system <> ''))
);
CREATE INDEX adjustment_of ON adjustment (tenant_id, dist_key, member_id, business_date);
CREATE INDEX adjustment_on ON adjustment (tenant_id, dist_key, standing, business_date);

ALTER TABLE adjustment ENABLE ROW LEVEL SECURITY;
ALTER TABLE adjustment FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON adjustment USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON adjustment TO regulars_app;
