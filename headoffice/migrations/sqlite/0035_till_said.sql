-- What each till said of itself in its last poll that was written down: its clock less ours, events still with it, its program.
CREATE TABLE till_said (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    apart_s INTEGER NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    first_proto INTEGER NOT NULL,
    last_proto INTEGER NOT NULL,
    app TEXT NOT NULL,
    schema_no INTEGER NOT NULL CHECK (schema_no >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;
