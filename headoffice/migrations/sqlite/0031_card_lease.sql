-- Which till may give out which card numbers, for ever (app/protocol/card_leases.py). epoch NULL: in every one, 0: in none any
-- more. timeline 0: the till brought it along. lowest, highest: numbers of all digits but the check digit.
CREATE TABLE card_lease (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    first_no INTEGER NOT NULL CHECK (first_no >= 0),
    last_no INTEGER NOT NULL CHECK (last_no >= first_no - 1),
    device_id BLOB NOT NULL,
    epoch INTEGER CHECK (epoch >= 0),
    timeline INTEGER NOT NULL CHECK (timeline >= 0),
    at_ms INTEGER NOT NULL,
    lowest TEXT NOT NULL,
    highest TEXT NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, prefix, last_no),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_lease_device ON card_lease (tenant_id, dist_key, device_id);
CREATE INDEX card_lease_timeline ON card_lease (tenant_id, dist_key, timeline);
CREATE INDEX card_lease_numbers ON card_lease (tenant_id, dist_key, highest);
