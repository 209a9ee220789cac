-- Between stores, not devices, and dated by what moved the points. All is worked out anew by the recount.
DROP TABLE settlement;
CREATE TABLE settlement (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    debit_event BLOB NOT NULL,
    business_date INTEGER NOT NULL,
    earned_store BLOB NOT NULL CHECK (length(earned_store) = 16),
    spent_store BLOB NOT NULL CHECK (length(spent_store) = 16),
    points INTEGER NOT NULL,
    value_minor INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, debit_event, business_date, earned_store),
    FOREIGN KEY (tenant_id, dist_key, debit_event) REFERENCES event (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_date ON settlement (tenant_id, dist_key, business_date);

DELETE FROM recount_place;
