-- A month has its references before it has rows: each row that moves there from `_default` is looked at by itself,
-- which sees every chain. Attached without them, all were looked at in one query, as the owner under row-level
-- security: of another chain than the one under way it finds neither tenant nor member, and no month was made.
CREATE OR REPLACE FUNCTION make_month(month date) RETURNS void LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    first bytea := id_at(month::timestamp AT TIME ZONE 'UTC');
    after bytea := id_at((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    parent text;
    made text;
    refers text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['event', 'ledger']
    LOOP
        made := parent || to_char(month, '_YYYYMM');
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', made, parent);
        FOR refers IN
            SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = to_regclass(parent) AND contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE %I ADD %s', made, refers);
        END LOOP;
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', parent || '_default');
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', parent || '_default');
        EXECUTE format(
            'WITH early AS (DELETE FROM %I WHERE event_id >= %L AND event_id < %L RETURNING *) '
            'INSERT INTO %I SELECT * FROM early', parent || '_default', first, after, made
        );
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', parent || '_default');
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', parent || '_default');
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, made, first, after);
        PERFORM shut(made);
    END LOOP;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION make_month(date) SET search_path = %I, pg_temp', current_schema());
END $$;
