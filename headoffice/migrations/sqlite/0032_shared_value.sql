-- Phones, e-mail addresses and cards that two members have, the lower id first; seen: somebody said that they are two people;
-- over: they share it no more.
CREATE TABLE shared_value (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('card', 'phone', 'email')),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    other_id BLOB NOT NULL CHECK (length(other_id) = 16 AND member_id < other_id),
    noted_ms INTEGER NOT NULL,
    seen_by BLOB,
    seen_ms INTEGER CHECK ((seen_ms IS NULL) = (seen_by IS NULL)),
    over_ms INTEGER,
    PRIMARY KEY (tenant_id, dist_key, field, member_id, other_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key),
    FOREIGN KEY (tenant_id, dist_key, seen_by) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_value_unseen ON shared_value (tenant_id, dist_key, noted_ms, field, member_id, other_id)
    WHERE seen_ms IS NULL AND over_ms IS NULL;
CREATE INDEX shared_value_cards ON shared_value (tenant_id, dist_key, noted_ms, member_id, other_id)
    WHERE field = 'card' AND over_ms IS NULL;
CREATE INDEX shared_value_pair ON shared_value (tenant_id, dist_key, member_id, other_id);
