-- What head office's web console keeps: who may sign in, who is signed in, what was looked at; and the indexes
-- that it finds members by.

-- verifier: argon2id, of a one-time password while one_time_until_ms is set. wrong: tries since the last right one.
CREATE TABLE console_staff (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    staff_id bytea NOT NULL CHECK (length(staff_id) = 16),
    initials text COLLATE "C" NOT NULL CHECK (length(initials) BETWEEN 1 AND 12),
    role text COLLATE "C" NOT NULL CHECK (role IN ('manager', 'head_office', 'auditor')),
    verifier text COLLATE "C" NOT NULL CHECK (verifier LIKE '$argon2id$%'),
    one_time_until_ms bigint,
    wrong bigint NOT NULL CHECK (wrong >= 0),
    locked_until_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id),
    UNIQUE (tenant_id, dist_key, initials)
);

-- session_id: the digest of what the browser holds.
CREATE TABLE console_session (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    session_id bytea NOT NULL CHECK (length(session_id) = 32),
    staff_id bytea NOT NULL,
    until_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, session_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

CREATE INDEX console_session_staff ON console_session (tenant_id, dist_key, staff_id);

-- detail: a code or a count, never a personal value. staff_id null: nobody who is known.
CREATE TABLE console_audit (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    at_ms bigint NOT NULL,
    staff_id bytea CHECK (length(staff_id) = 16),
    act text COLLATE "C" NOT NULL,
    member_id bytea CHECK (length(member_id) = 16),
    detail text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, number)
);

CREATE TRIGGER console_audit_stays BEFORE UPDATE OR DELETE ON console_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE INDEX cell_value ON cell (tenant_id, dist_key, field, lower(value) COLLATE "C", member_id);
CREATE INDEX cell_last_four ON cell (tenant_id, dist_key, right(value, 4), member_id)
    WHERE field IN ('phone', 'card');
CREATE INDEX member_alias ON member (tenant_id, dist_key, alias) WHERE alias IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['console_staff', 'console_session', 'console_audit']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant_id = decode(current_setting(''app.tenant'', true), ''hex''))',
            name
        );
        EXECUTE format('GRANT SELECT, INSERT ON %I TO regulars_app', name);
    END LOOP;
END $$;

GRANT UPDATE ON console_staff TO regulars_app;
GRANT DELETE ON console_session TO regulars_app;
