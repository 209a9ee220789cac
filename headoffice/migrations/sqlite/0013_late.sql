-- Where a close came first in its till's chain (NULL: it came before this was kept), and documents of a date
-- that came behind its close. Money in minor units, points as they are.
ALTER TABLE till_close ADD COLUMN epoch INTEGER;
ALTER TABLE till_close ADD COLUMN seq INTEGER;

CREATE INDEX till_close_device ON till_close (tenant_id, dist_key, device_id, business_date);

CREATE TABLE late_event (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    close_event BLOB NOT NULL,
    kind TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, close_event) REFERENCES till_close (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX late_event_close ON late_event (tenant_id, dist_key, close_event);
