-- What head office's web console keeps: who may sign in, who is signed in, what was looked at; and the indexes
-- that it finds members by. headoffice/console/ reads and writes it.

-- verifier: argon2id, of a one-time password while one_time_until_ms is set. wrong: tries since the last right one.
CREATE TABLE console_staff (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    staff_id BLOB NOT NULL CHECK (length(staff_id) = 16),
    initials TEXT NOT NULL CHECK (length(initials) BETWEEN 1 AND 12),
    role TEXT NOT NULL CHECK (role IN ('manager', 'head_office', 'auditor')),
    verifier TEXT NOT NULL CHECK (verifier LIKE '$argon2id$%'),
    one_time_until_ms INTEGER,
    wrong INTEGER NOT NULL CHECK (wrong >= 0),
    locked_until_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id),
    UNIQUE (tenant_id, dist_key, initials)
) STRICT, WITHOUT ROWID;

-- session_id: the digest of what the browser holds.
CREATE TABLE console_session (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    session_id BLOB NOT NULL CHECK (length(session_id) = 32),
    staff_id BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, session_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX console_session_staff ON console_session (tenant_id, dist_key, staff_id);

-- detail: a code or a count, never a personal value. staff_id null: nobody who is known.
CREATE TABLE console_audit (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    number INTEGER NOT NULL CHECK (number > 0),
    at_ms INTEGER NOT NULL,
    staff_id BLOB CHECK (length(staff_id) = 16),
    act TEXT NOT NULL,
    member_id BLOB CHECK (length(member_id) = 16),
    detail TEXT NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER console_audit_stays BEFORE UPDATE ON console_audit
BEGIN SELECT raise(ABORT, 'the audit is insert-only'); END;
CREATE TRIGGER console_audit_is_kept BEFORE DELETE ON console_audit
BEGIN SELECT raise(ABORT, 'the audit is insert-only'); END;

CREATE INDEX cell_value ON cell (tenant_id, dist_key, field, value COLLATE NOCASE, member_id);
CREATE INDEX cell_last_four ON cell (tenant_id, dist_key, substr(value, -4), member_id)
    WHERE field IN ('phone', 'card');
CREATE INDEX member_alias ON member (tenant_id, dist_key, alias) WHERE alias IS NOT NULL;
