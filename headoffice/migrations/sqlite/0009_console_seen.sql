-- Events in quarantine that somebody has looked at and said so; and conflicts of profile fields, the last first.
CREATE TABLE console_seen (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX cell_conflict ON cell (tenant_id, dist_key, decides) WHERE conflict IS NOT NULL;
