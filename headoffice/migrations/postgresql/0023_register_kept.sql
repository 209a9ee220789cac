-- Which commits of a chain changed more than members, documents and what tills may spend: what every head office process
-- keeps in memory. `kept` is the version that the register has since the last of them.
ALTER TABLE register ADD COLUMN kept bigint NOT NULL DEFAULT 0;

CREATE FUNCTION register_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE register SET kept = version + 1
    WHERE tenant_id = decode(current_setting('app.tenant', true), 'hex') AND kept <= version;
    RETURN NULL;
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['chain', 'store', 'till', 'api_key', 'webhook', 'alarm']
    LOOP
        EXECUTE format(
            'CREATE TRIGGER is_kept AFTER INSERT OR UPDATE OR DELETE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION register_kept()', name
        );
    END LOOP;
END $$;

-- A device is written with each push; of it the processes keep whether it was shut out.
CREATE TRIGGER is_kept AFTER UPDATE ON device FOR EACH ROW WHEN (OLD.standing IS DISTINCT FROM NEW.standing)
    EXECUTE FUNCTION register_kept();
-- A night is written with each portion; of it the others need that it is done.
CREATE TRIGGER is_kept AFTER UPDATE ON night FOR EACH ROW WHEN (OLD.done IS DISTINCT FROM NEW.done)
    EXECUTE FUNCTION register_kept();
