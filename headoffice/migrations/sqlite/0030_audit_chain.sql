-- The audit's hashes, each over the line before (headoffice/audit.py). Lines of before have none: the first line after
-- them covers them all. And how far the audit went on each night.
ALTER TABLE console_audit ADD COLUMN chain BLOB CHECK (length(chain) = 32);

CREATE TABLE audit_root (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    night INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, night)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_root_stays BEFORE UPDATE ON audit_root
BEGIN SELECT raise(ABORT, 'the audit is insert-only'); END;
CREATE TRIGGER audit_root_is_kept BEFORE DELETE ON audit_root
BEGIN SELECT raise(ABORT, 'the audit is insert-only'); END;
