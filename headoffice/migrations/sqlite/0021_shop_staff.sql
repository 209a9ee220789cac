-- People of the chain's stores: who works where and as what, and what their first code was stretched to (headoffice/shop_staff.py).
CREATE TABLE shop_person (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    person_id BLOB NOT NULL CHECK (length(person_id) = 16),
    body BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, person_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

-- Who works at a till, as it told last, after its event `at`.
CREATE TABLE till_staff (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;
