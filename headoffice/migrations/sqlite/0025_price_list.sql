-- The chain's price lists, drafts and published ones. body: as tills fetch it (app/price_list.py).
CREATE TABLE price_list (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    list_id BLOB NOT NULL CHECK (length(list_id) = 16),
    starts INTEGER NOT NULL,
    items INTEGER NOT NULL CHECK (items >= 0),
    body BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    published_by BLOB,
    published_ms INTEGER CHECK ((published_ms IS NULL) = (published_by IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, list_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;
