-- Which till may give out which card numbers, for ever (app/protocol/card_leases.py). epoch NULL: in every one, 0: in none any
-- more. timeline 0: the till brought it along. lowest, highest: numbers of all digits but the check digit.
CREATE TABLE card_lease (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    first_no bigint NOT NULL CHECK (first_no >= 0),
    last_no bigint NOT NULL CHECK (last_no >= first_no - 1),
    device_id bytea NOT NULL,
    epoch bigint CHECK (epoch >= 0),
    timeline bigint NOT NULL CHECK (timeline >= 0),
    at_ms bigint NOT NULL,
    lowest text COLLATE "C" NOT NULL,
    highest text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, prefix, last_no),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);
CREATE INDEX card_lease_device ON card_lease (tenant_id, device_id, dist_key);
CREATE INDEX card_lease_timeline ON card_lease (tenant_id, timeline, dist_key);
CREATE INDEX card_lease_numbers ON card_lease (tenant_id, highest, dist_key);

ALTER TABLE card_lease ENABLE ROW LEVEL SECURITY;
ALTER TABLE card_lease FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON card_lease USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON card_lease TO regulars_app;
