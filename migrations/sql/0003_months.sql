-- What the service may have done to partitions, which only their owner can do. Months are numbers:
-- year * 12 + month - 1. Statements are parted by lines of four dashes.

CREATE FUNCTION audit_month_begins(month integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM make_timestamptz(month / 12, month % 12 + 1, 1, 0, 0, 0, 'UTC'))
            * 1000)::bigint
$$
----
CREATE FUNCTION audit_month_name(parent text, month integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT parent || '_y' || lpad((month / 12)::text, 4, '0')
                  || 'm' || lpad((month % 12 + 1)::text, 2, '0')
$$
----
-- Makes the partitions of some months that are missing; rows that fell into the default
-- partition move into their month. Returns how many partitions it made.
CREATE FUNCTION audit_make_months(first_month integer, months integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text; part text; month integer; since bigint; until bigint; strays boolean;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_make_months'));
    FOR month IN first_month .. first_month + months - 1 LOOP
        since := audit_month_begins(month);
        until := audit_month_begins(month + 1);
        FOREACH parent IN ARRAY ARRAY['audit_entry', 'audit_detail', 'audit_audience',
                                      'audit_object'] LOOP
            part := audit_month_name(parent, month);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE t >= %s AND t < %s)',
                           parent || '_other', since, until) INTO strays;
            IF strays THEN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
                EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', parent || '_other');
                EXECUTE format(
                    'WITH moved AS (DELETE FROM %I WHERE t >= %s AND t < %s RETURNING *)'
                    ' INSERT INTO %I SELECT * FROM moved',
                    parent || '_other', since, until, part);
                EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', parent || '_other');
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                    parent, part, since, until);
            ELSE
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                    part, parent, since, until);
            END IF;
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$
----
-- Drops a month, but only when every entry of it stands in a sealed archive. Returns how many
-- entries went, null when it may not be dropped.
CREATE FUNCTION audit_leave_month(month integer)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text; part text; gone bigint;
    since bigint := audit_month_begins(month);
    until bigint := audit_month_begins(month + 1);
    border bigint := (SELECT coalesce(max(first + count), 0) FROM audit_archive);
BEGIN
    IF until > extract(epoch FROM now()) * 1000 THEN
        RETURN NULL;
    END IF;
    LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM audit_entry e LEFT JOIN audit_seq s ON s.eid = e.eid
               WHERE e.t >= since AND e.t < until AND (s.idx IS NULL OR s.idx >= border))
    THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO gone FROM audit_entry WHERE t >= since AND t < until;
    FOREACH parent IN ARRAY ARRAY['audit_entry', 'audit_detail', 'audit_audience',
                                  'audit_object'] LOOP
        part := audit_month_name(parent, month);
        IF to_regclass(part) IS NOT NULL THEN
            EXECUTE format('DROP TABLE %I', part);
        ELSE
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', parent || '_other');
            EXECUTE format('DELETE FROM %I WHERE t >= %s AND t < %s',
                           parent || '_other', since, until);
            EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', parent || '_other');
        END IF;
    END LOOP;
    ALTER TABLE audit_seq DISABLE TRIGGER USER;
    DELETE FROM audit_seq WHERE t >= since AND t < until AND idx < border;
    ALTER TABLE audit_seq ENABLE TRIGGER USER;
    RETURN gone;
END $$
