-- What takes two people of head office and one has asked for. subject: whose or what it is, hex or a code.
CREATE TABLE console_asked (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, what, subject),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;
