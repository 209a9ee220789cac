-- Phones, e-mail addresses and cards that two members have, the lower id first; seen: somebody said that they are two people;
-- over: they share it no more.
CREATE TABLE shared_value (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    field text COLLATE "C" NOT NULL CHECK (field IN ('card', 'phone', 'email')),
    member_id bytea NOT NULL CHECK (length(member_id) = 16),
    other_id bytea NOT NULL CHECK (length(other_id) = 16 AND member_id < other_id),
    noted_ms bigint NOT NULL,
    seen_by bytea,
    seen_ms bigint CHECK ((seen_ms IS NULL) = (seen_by IS NULL)),
    over_ms bigint,
    PRIMARY KEY (tenant_id, dist_key, field, member_id, other_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key),
    FOREIGN KEY (tenant_id, dist_key, seen_by) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);
CREATE INDEX shared_value_unseen ON shared_value (tenant_id, dist_key, noted_ms, field, member_id, other_id)
    WHERE seen_ms IS NULL AND over_ms IS NULL;
CREATE INDEX shared_value_cards ON shared_value (tenant_id, dist_key, noted_ms, member_id, other_id)
    WHERE field = 'card' AND over_ms IS NULL;
CREATE INDEX shared_value_pair ON shared_value (tenant_id, member_id, other_id, dist_key);

ALTER TABLE shared_value ENABLE ROW LEVEL SECURITY;
ALTER TABLE shared_value FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON shared_value USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON shared_value TO regulars_app;
