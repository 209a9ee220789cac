-- The audit's hashes, each over the line before (headoffice/audit.py). Lines of before have none: the first line after
-- them covers them all. And how far the audit went on each night.
ALTER TABLE console_audit ADD COLUMN chain bytea CHECK (length(chain) = 32);

CREATE TABLE audit_root (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    night bigint NOT NULL,
    number bigint NOT NULL CHECK (number >= 0),
    chain bytea NOT NULL CHECK (length(chain) = 32),
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, night)
);

CREATE TRIGGER audit_root_stays BEFORE UPDATE OR DELETE ON audit_root
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE audit_root ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_root FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON audit_root USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON audit_root TO regulars_app;
