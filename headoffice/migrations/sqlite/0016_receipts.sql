-- Sales by the numbers on their receipts: any till of the chain may take their goods back.
CREATE TABLE receipt (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    receipt_no TEXT NOT NULL,
    event_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, receipt_no, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;

-- Every chain is walked through anew, in portions, and so the sales of before are found too.
DELETE FROM recount_place;
