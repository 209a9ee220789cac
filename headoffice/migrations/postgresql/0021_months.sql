-- Events and ledger by the month in the event's id (UUIDv7: its first 48 bits are milliseconds since 1970): what is
-- old is not touched any more, and an id is looked for in one place over all time. Ids that head office derives have
-- no time in them and lie beyond 2200 nearly all; what a clock far off has written lies in `_default`.
--
-- A reference into a partitioned table would forbid to take early rows out of `_default` when their month is made.
-- Nothing is ever deleted from `event`, so it is enough to look once, when the row that refers to it comes.

CREATE FUNCTION id_at(at timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT
    RETURN substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3);

DO $$
DECLARE
    refers record;
BEGIN
    FOR refers IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE confrelid = 'event'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', refers.name, refers.conname);
    END LOOP;
END $$;

-- The owner looks at all chains' rows until the end of this step.
ALTER TABLE tenant NO FORCE ROW LEVEL SECURITY;
ALTER TABLE member NO FORCE ROW LEVEL SECURITY;
ALTER TABLE recount_flag ADD FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);
ALTER TABLE settlement ADD FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);
ALTER TABLE till_close ADD FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);
ALTER TABLE receipt ADD FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);
-- What a row refers to is looked at when it comes; so it may not refer to something else later.
REVOKE UPDATE ON recount_flag FROM regulars_app;
GRANT UPDATE (claimed, ours, noted_ms, seen_ms, seen_by) ON recount_flag TO regulars_app;

ALTER TABLE event RENAME TO event_before;
ALTER TABLE ledger RENAME TO ledger_before;
ALTER TABLE event_before NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_before NO FORCE ROW LEVEL SECURITY;

CREATE TABLE event (LIKE event_before INCLUDING CONSTRAINTS) PARTITION BY RANGE (event_id);
CREATE TABLE ledger (LIKE ledger_before INCLUDING CONSTRAINTS) PARTITION BY RANGE (event_id);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE TABLE ledger_default PARTITION OF ledger DEFAULT;
DO $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['event', 'ledger']
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (MAXVALUE)',
            parent || '_derived', parent, id_at('2200-01-01Z')
        );
    END LOOP;
END $$;

-- The application reads and writes through the parents alone. A partition has the policy, too: for its owner.
CREATE FUNCTION shut(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY own_tenant ON %I USING (tenant_id = decode(current_setting(''app.tenant'', true), ''hex''))',
        name
    );
END $$;

-- Makes a month, with the rows in it that came before it was made. Fails within 0.2 s where somebody is at the
-- default partition: everybody else would wait behind it.
CREATE FUNCTION make_month(month date) RETURNS void LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    first bytea := id_at(month::timestamp AT TIME ZONE 'UTC');
    after bytea := id_at((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    parent text;
    made text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['event', 'ledger']
    LOOP
        made := parent || to_char(month, '_YYYYMM');
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', made, parent);
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

-- What head office may have made, whatever it asks for: this month and three more. How many were missing.
CREATE FUNCTION make_months() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    month date;
    missing bigint := 0;
BEGIN
    FOR ahead IN 0 .. 3
    LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
        CONTINUE WHEN to_regclass('ledger' || to_char(month, '_YYYYMM')) IS NOT NULL;
        PERFORM make_month(month);
        missing := missing + 1;
    END LOOP;
    RETURN missing;
END $$;

-- How many events of the chain under way bear a time for which there is no month: a clock was wrong by far.
CREATE FUNCTION undated() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT count(*) FROM event_default
    WHERE tenant_id = decode(current_setting('app.tenant', true), 'hex') AND get_byte(event_id, 6) >> 4 = 7
$$;

-- The indexes are made behind the rows, and so are the months of what is there.
DO $$
DECLARE
    month date;
BEGIN
    FOR month IN
        SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') FROM (
            SELECT to_timestamp(('x' || encode(substring(event_id FOR 6), 'hex'))::bit(48)::bigint / 1000) AS at
            FROM event_before WHERE event_id < id_at('2200-01-01Z')
        ) AS ids
        WHERE at BETWEEN '2020-01-01Z' AND now() + interval '3 months'
    LOOP
        PERFORM make_month(month);
    END LOOP;
END $$;
INSERT INTO event SELECT * FROM event_before;
INSERT INTO ledger SELECT * FROM ledger_before;
DROP TABLE ledger_before, event_before;
ALTER TABLE event ADD PRIMARY KEY (tenant_id, dist_key, event_id);
ALTER TABLE ledger ADD PRIMARY KEY (tenant_id, dist_key, event_id, n);
ALTER TABLE event ADD FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);
ALTER TABLE ledger ADD FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id);
CREATE INDEX event_quarantined ON event (tenant_id, dist_key) WHERE standing = 'quarantined';
CREATE INDEX ledger_member ON ledger (tenant_id, member_id, number, dist_key);

-- The last number of each member's entries. That a number is there once, and without gaps before it, was a unique
-- index' to prove, which over months would need the event's id in it. Now it is this row's: entries come by behind
-- it alone, and nothing else writes it.
CREATE TABLE ledger_head (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    member_id bytea NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    PRIMARY KEY (tenant_id, dist_key, member_id)
) WITH (fillfactor = 50);
INSERT INTO ledger_head SELECT tenant_id, dist_key, member_id, max(number) FROM ledger GROUP BY 1, 2, 3;

-- Tables that came a moment ago have no statistics: each row is looked up by its key, whatever they say.
CREATE FUNCTION ledger_goes_on() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    members bigint;
    went_on bigint;
    begun bigint;
BEGIN
    SELECT count(*) FROM (SELECT FROM came GROUP BY tenant_id, dist_key, member_id) AS each INTO members;
    WITH added AS (
        SELECT tenant_id, dist_key, member_id, min(number) AS first, max(number) AS last FROM came GROUP BY 1, 2, 3
        HAVING count(*) = max(number) - min(number) + 1 AND count(DISTINCT number) = count(*)
    )
    UPDATE ledger_head AS head SET number = last FROM added
    WHERE head.tenant_id = added.tenant_id AND head.dist_key = added.dist_key
        AND head.member_id = added.member_id AND head.number = first - 1;
    GET DIAGNOSTICS went_on = ROW_COUNT;
    IF went_on < members THEN
        INSERT INTO ledger_head SELECT tenant_id, dist_key, member_id, max(number) FROM came GROUP BY 1, 2, 3
        HAVING min(number) = 1 AND max(number) = count(*) AND count(DISTINCT number) = count(*);
        GET DIAGNOSTICS begun = ROW_COUNT;
        IF went_on + begun < members THEN
            RAISE EXCEPTION 'entries do not go on behind the last of their member' USING ERRCODE = 'unique_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION event_is_there() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    lacking boolean;
BEGIN
    IF TG_NARGS = 0 THEN
        SELECT EXISTS (SELECT FROM came WHERE (
            SELECT 1 FROM event WHERE event.tenant_id = came.tenant_id AND event.dist_key = came.dist_key
                AND event.event_id = came.event_id
        ) IS NULL) INTO lacking;
    ELSE
        SELECT EXISTS (SELECT FROM came WHERE (
            SELECT 1 FROM event WHERE event.tenant_id = came.tenant_id AND event.dist_key = came.dist_key
                AND event.event_id = came.debit_event
        ) IS NULL) INTO lacking;
    END IF;
    IF lacking THEN
        RAISE EXCEPTION '% refers to an event that is not there', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_goes_on AFTER INSERT ON ledger REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_goes_on();
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'ledger', 'sale_return', 'recount_flag', 'console_seen', 'till_close', 'late_event', 'receipt', 'settlement'
    ]
    LOOP
        EXECUTE format(
            'CREATE TRIGGER event_is_there AFTER INSERT ON %I REFERENCING NEW TABLE AS came '
            'FOR EACH STATEMENT EXECUTE FUNCTION event_is_there(%s)',
            name, CASE name WHEN 'settlement' THEN '''debit_event''' ELSE '' END
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['event', 'event_default', 'event_derived', 'ledger', 'ledger_default',
        'ledger_derived', 'ledger_head']
    LOOP
        PERFORM shut(name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['make_months()', 'make_month(date)', 'shut(text)', 'undated()', 'ledger_goes_on()',
        'event_is_there()']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
ALTER TABLE member FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON event, ledger TO regulars_app;
GRANT SELECT ON ledger_head TO regulars_app;
GRANT EXECUTE ON FUNCTION make_months(), undated() TO regulars_app;

SELECT make_months();
