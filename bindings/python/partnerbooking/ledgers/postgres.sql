-- The ledger in PostgreSQL 12 or later. docs/ledger-protocol.md describes the operations.
--
-- Send this file as one query to create or update the schema. It changes nothing if the schema is
-- current. Then send each batch as it is, and pass the result on as it is:
--
--     SELECT pbk_ledger_v1(batch, retention_ms, timeout_ms)
--
-- For another name, replace pbk_ledger in the whole file. The schema is the first of the
-- search_path.
DO $migrate$
DECLARE
    known CONSTANT int := 1;
    installed int := 0;
BEGIN
    -- Engines that start at the same time create the schema once. The lock comes before any look at
    -- the catalogue: a session remembers that a table was missing until its next lock of a table.
    PERFORM pg_advisory_xact_lock(hashtextextended('pbk_ledger', 0));
    IF to_regclass('pbk_ledger_version') IS NOT NULL THEN
        SELECT version INTO installed FROM pbk_ledger_version;
    END IF;
    IF installed > known THEN
        RAISE EXCEPTION 'pbk_ledger has schema version %, this program knows %: update the program', installed, known
            USING ERRCODE = 'PBKV1';
    ELSIF installed = known THEN
        RETURN;
    END IF;

    CREATE TABLE pbk_ledger_version (version int NOT NULL);
    INSERT INTO pbk_ledger_version VALUES (known);

    CREATE TABLE pbk_ledger (
        scope text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'booked', 'refused')),
        fingerprint text NOT NULL,
        claim text NOT NULL,
        owner text NOT NULL,
        lease_until timestamptz,
        withdrawn boolean NOT NULL DEFAULT false,
        heard boolean NOT NULL DEFAULT false,
        took_over boolean NOT NULL DEFAULT false,
        recorded_at bigint NOT NULL,
        bot_id text,
        start_at text,
        duration_minutes int,
        start_ms bigint,
        conversation text,
        account_id text,
        body text,
        reply text,
        outcome text,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITH (fillfactor = 80);
    -- No index has lease_until, so that a renewal writes no index.
    CREATE INDEX pbk_ledger_open ON pbk_ledger (scope) WHERE state = 'open';
    CREATE INDEX pbk_ledger_pending ON pbk_ledger (scope, recorded_at, key) WHERE state = 'open' OR NOT heard;
    CREATE INDEX pbk_ledger_ended ON pbk_ledger (updated_at) WHERE state <> 'open';

    CREATE TYPE pbk_ledger_operation_v1 AS (
        op text, id text, scope text, key text, claim text, owner text, lease_ms bigint, fingerprint text,
        recorded_at bigint, bot_id text, start_at text, duration_minutes int, start_ms bigint, conversation text,
        account_id text, body text, replaces text, orphan boolean, reply text, outcome text, withdrawn boolean,
        "limit" int, not_before_ms bigint, claims json
    );

    -- Reads one operation. Raises what is wrong with it.
    CREATE FUNCTION pbk_ledger_read_v1(operation json) RETURNS pbk_ledger_operation_v1 LANGUAGE plpgsql AS $read$
    DECLARE
        s pbk_ledger_operation_v1 := json_populate_record(NULL::pbk_ledger_operation_v1, operation);
        complete boolean := CASE s.op
            WHEN 'claim' THEN
                num_nulls(s.key, s.claim, s.owner, s.lease_ms, s.fingerprint, s.recorded_at, s.body) = 0
            WHEN 'wait' THEN s.key IS NOT NULL
            WHEN 'settle' THEN num_nulls(s.key, s.claim, s.owner, s.fingerprint, s.recorded_at, s.reply) = 0
            WHEN 'void' THEN num_nulls(s.key, s.claim, s.owner, s.fingerprint, s.recorded_at, s.outcome) = 0
            WHEN 'withdraw' THEN num_nulls(s.key, s.claim, s.withdrawn) = 0
            WHEN 'give_up' THEN num_nulls(s.key, s.owner, s.claim) = 0
            WHEN 'heard' THEN num_nulls(s.key, s.claim) = 0
            WHEN 'renew' THEN num_nulls(s.owner, s.lease_ms, s.claims) = 0
            WHEN 'orphans' THEN num_nulls(s."limit", s.not_before_ms) = 0
            WHEN 'pending' THEN s."limit" IS NOT NULL
        END;
    BEGIN
        IF complete IS NULL THEN
            RAISE EXCEPTION 'unknown operation';
        ELSIF NOT complete OR num_nulls(s.id, s.scope) > 0 THEN
            RAISE EXCEPTION '%: a member is missing', s.op;
        ELSIF octet_length(s.scope) + coalesce(octet_length(s.key), 0) > 2000 THEN
            RAISE EXCEPTION '%: scope and key have more than 2000 bytes', s.op;
        ELSIF s."limit" NOT BETWEEN 1 AND 10000 THEN
            RAISE EXCEPTION '%: limit is not between 1 and 10000', s.op;
        END IF;
        RETURN s;
    END $read$;

    -- The steps of a renewal, one for each claim.
    CREATE FUNCTION pbk_ledger_renewals_v1(s pbk_ledger_operation_v1) RETURNS pbk_ledger_operation_v1[]
    LANGUAGE plpgsql AS $each$
    DECLARE
        item json;
        steps pbk_ledger_operation_v1[];
    BEGIN
        FOR item IN SELECT value FROM json_array_elements(s.claims) LOOP
            s.key := item ->> 'key';
            s.claim := item ->> 'claim';
            IF num_nulls(s.key, s.claim) > 0 THEN
                RAISE EXCEPTION 'renew: a member is missing';
            END IF;
            steps := array_append(steps, s);
        END LOOP;
        RETURN steps;
    END $each$;

    -- A row as results have it.
    CREATE FUNCTION pbk_ledger_row_v1(r pbk_ledger, at timestamptz) RETURNS json LANGUAGE sql AS $row$
        SELECT json_strip_nulls(json_build_object(
            'key', r.key, 'state', r.state, 'fingerprint', r.fingerprint, 'claim', r.claim, 'owner', r.owner,
            'lease_ms', CASE r.state WHEN 'open' THEN floor(extract(epoch FROM r.lease_until - at) * 1000)::bigint END,
            'lease_until', floor(extract(epoch FROM r.lease_until) * 1000)::bigint,
            'withdrawn', r.withdrawn, 'heard', r.heard, 'took_over', r.took_over, 'recorded_at', r.recorded_at,
            'bot_id', r.bot_id, 'start_at', r.start_at, 'duration_minutes', r.duration_minutes,
            'start_ms', r.start_ms, 'conversation', r.conversation, 'account_id', r.account_id,
            'body', r.body, 'reply', r.reply, 'outcome', r.outcome,
            'updated_at', floor(extract(epoch FROM r.updated_at) * 1000)::bigint))
    $row$;

    -- Carries out one operation on one key. `lost` of a renewal: somebody else has the claim.
    CREATE FUNCTION pbk_ledger_keyed_v1(s pbk_ledger_operation_v1) RETURNS json LANGUAGE plpgsql AS $step$
    DECLARE
        r pbk_ledger;
        at timestamptz;
        result text;
        shows_row boolean := false;
    BEGIN
        IF s.op = 'wait' THEN
            SELECT * INTO r FROM pbk_ledger t WHERE t.scope = s.scope AND t.key = s.key;
            RETURN CASE WHEN FOUND THEN json_build_object('id', s.id, 'result', r.state,
                                                          'row', pbk_ledger_row_v1(r, clock_timestamp()))
                ELSE json_build_object('id', s.id, 'result', 'absent') END;
        END IF;

        -- Locks the row. A row that somebody else inserts or removes at this moment takes another
        -- turn.
        LOOP
            SELECT * INTO r FROM pbk_ledger t WHERE t.scope = s.scope AND t.key = s.key FOR UPDATE;
            EXIT WHEN FOUND;
            IF s.op NOT IN ('claim', 'settle', 'void') OR s.op = 'claim' AND s.orphan THEN
                RETURN json_build_object('id', s.id, 'result', CASE s.op WHEN 'give_up' THEN 'absent' ELSE 'lost' END);
            END IF;
            at := clock_timestamp();
            INSERT INTO pbk_ledger VALUES (
                s.scope, s.key, CASE s.op WHEN 'claim' THEN 'open' WHEN 'settle' THEN 'booked' ELSE 'refused' END,
                s.fingerprint, s.claim, s.owner, CASE s.op WHEN 'claim' THEN at + s.lease_ms * interval '1 ms' END,
                false, s.op = 'void', false, s.recorded_at, s.bot_id, s.start_at, s.duration_minutes, s.start_ms,
                s.conversation, CASE s.op WHEN 'claim' THEN s.account_id END, CASE s.op WHEN 'claim' THEN s.body END,
                CASE s.op WHEN 'settle' THEN s.reply END, CASE s.op WHEN 'void' THEN s.outcome END, at
            ) ON CONFLICT DO NOTHING;
            IF FOUND THEN
                RETURN json_build_object('id', s.id, 'result', CASE s.op WHEN 'claim' THEN 'claimed' ELSE 'done' END);
            END IF;
        END LOOP;

        at := clock_timestamp();
        CASE s.op
        WHEN 'claim' THEN
            IF r.claim = s.claim THEN
                result := CASE WHEN r.state = 'booked' THEN 'booked' WHEN r.state = 'refused' THEN 'lost'
                    WHEN r.took_over THEN 'in_doubt' ELSE 'claimed' END;
                UPDATE pbk_ledger t SET lease_until = at + s.lease_ms * interval '1 ms', updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key AND t.state = 'open';
            ELSIF r.state = 'refused' AND s.orphan THEN
                result := 'lost';
            ELSIF r.state = 'refused' AND r.claim IS DISTINCT FROM s.replaces THEN
                result := 'refused';
            ELSIF r.state = 'refused' THEN
                result := 'claimed';
                UPDATE pbk_ledger t SET state = 'open', fingerprint = s.fingerprint, claim = s.claim, owner = s.owner,
                    lease_until = at + s.lease_ms * interval '1 ms', withdrawn = false, heard = false,
                    took_over = false, recorded_at = s.recorded_at, bot_id = s.bot_id, start_at = s.start_at,
                    duration_minutes = s.duration_minutes, start_ms = s.start_ms, conversation = s.conversation,
                    account_id = s.account_id, body = s.body, reply = NULL, outcome = NULL, updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            ELSIF r.fingerprint <> s.fingerprint THEN
                result := 'other';
            ELSIF r.state = 'booked' THEN
                result := 'booked';
            ELSIF s.orphan AND r.withdrawn THEN
                result := 'lost';
            ELSIF r.lease_until > at AND r.owner <> s.owner OR r.claim IS DISTINCT FROM s.replaces THEN
                result := 'held';
            ELSE
                result := 'in_doubt';
                UPDATE pbk_ledger t SET claim = s.claim, owner = s.owner, withdrawn = false, took_over = true,
                    lease_until = at + s.lease_ms * interval '1 ms', updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
            shows_row := result NOT IN ('claimed', 'lost');
        WHEN 'settle' THEN
            result := CASE WHEN r.fingerprint <> s.fingerprint THEN 'other' ELSE 'done' END;
            IF result = 'done' AND r.state <> 'booked' THEN
                UPDATE pbk_ledger t SET state = 'booked', reply = s.reply, claim = s.claim, body = NULL, outcome = NULL,
                    heard = false, updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        WHEN 'void' THEN
            result := CASE WHEN r.claim <> s.claim OR r.state = 'booked' THEN 'lost' ELSE 'done' END;
            IF result = 'done' AND r.state = 'open' THEN
                UPDATE pbk_ledger t SET state = 'refused', outcome = s.outcome, body = NULL, heard = false,
                    updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        WHEN 'withdraw' THEN
            result := CASE WHEN r.state = 'open' AND r.claim = s.claim THEN 'done' ELSE 'lost' END;
            IF result = 'done' THEN
                UPDATE pbk_ledger t SET withdrawn = s.withdrawn, updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        WHEN 'heard' THEN
            result := CASE WHEN r.state <> 'open' AND r.claim = s.claim THEN 'done' ELSE 'lost' END;
            IF result = 'done' AND NOT r.heard THEN
                UPDATE pbk_ledger t SET heard = true, updated_at = at WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        WHEN 'renew' THEN
            result := CASE WHEN r.state = 'open' AND r.claim = s.claim AND r.owner = s.owner THEN 'done'
                ELSE 'lost' END;
            IF result = 'done' THEN
                UPDATE pbk_ledger t SET lease_until = at + s.lease_ms * interval '1 ms'
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        WHEN 'give_up' THEN
            shows_row := true;
            IF r.state = 'refused' AND r.outcome = 'given_up' AND r.claim = s.claim THEN
                result := 'given_up';
            ELSIF r.state <> 'open' THEN
                result := 'kept';
            ELSIF r.claim <> s.claim OR r.lease_until > at AND r.owner <> s.owner THEN
                result := 'held';
            ELSE
                result := 'given_up';
                UPDATE pbk_ledger t SET state = 'refused', outcome = 'given_up', body = NULL, heard = true,
                    updated_at = at
                    WHERE t.scope = s.scope AND t.key = s.key;
            END IF;
        END CASE;
        IF shows_row THEN
            RETURN json_build_object('id', s.id, 'result', result, 'row', pbk_ledger_row_v1(r, at));
        END IF;
        RETURN json_build_object('id', s.id, 'result', result);
    END $step$;

    -- Carries out `orphans` or `pending`.
    CREATE FUNCTION pbk_ledger_rows_v1(s pbk_ledger_operation_v1) RETURNS json LANGUAGE plpgsql AS $rows$
    DECLARE
        at timestamptz := clock_timestamp();
        found_rows json;
    BEGIN
        IF s.op = 'orphans' THEN
            SELECT json_agg(pbk_ledger_row_v1(r, at)) INTO found_rows FROM (
                SELECT t FROM pbk_ledger t
                WHERE t.scope = s.scope AND t.state = 'open' AND t.lease_until <= at AND NOT t.withdrawn
                    AND (t.start_ms IS NULL OR t.start_ms > s.not_before_ms)
                ORDER BY t.lease_until, t.key LIMIT s."limit"
            ) AS found (r);
        ELSE
            SELECT json_agg(pbk_ledger_row_v1(r, at)) INTO found_rows FROM (
                SELECT t FROM pbk_ledger t
                WHERE t.scope = s.scope AND (t.state = 'open' OR NOT t.heard)
                    AND (s.bot_id IS NULL OR t.bot_id = s.bot_id)
                ORDER BY t.recorded_at, t.key LIMIT s."limit"
            ) AS found (r);
        END IF;
        RETURN json_build_object('id', s.id, 'result', 'rows', 'rows', coalesce(found_rows, '[]'));
    END $rows$;

    -- Carries out a batch in one transaction, with one write of the log.
    CREATE FUNCTION pbk_ledger_v1(batch json, retention_ms bigint, timeout_ms int) RETURNS json
    LANGUAGE plpgsql AS $batch$
    DECLARE
        item json;
        s pbk_ledger_operation_v1;
        steps pbk_ledger_operation_v1[] := '{}';
        answer json;
        results json[] := '{}';
        renewals text[] := '{}';
        lost_ids text[] := '{}';
        lost_keys text[] := '{}';
        -- A variable: an index takes no volatile function.
        expired timestamptz := clock_timestamp() - retention_ms * interval '1 ms';
    BEGIN
        -- The type text has no U+0000, which a conversation may have. U+FFFD takes its place.
        IF strpos(batch::text, '\u0000') > 0 THEN
            batch := regexp_replace(batch::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g');
        END IF;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'pbk_ledger needs READ COMMITTED: the transaction is %',
                upper(current_setting('transaction_isolation'));
        ELSIF current_setting('transaction_read_only') = 'on' THEN
            RAISE EXCEPTION 'pbk_ledger needs the primary: the transaction is read-only'
                USING ERRCODE = 'read_only_sql_transaction';
        ELSIF coalesce((batch ->> 'protocol')::int, 1) <> 1 THEN
            RAISE EXCEPTION 'pbk_ledger knows protocol 1: the batch has protocol %', batch ->> 'protocol';
        END IF;
        -- A lock that comes too late must not let the batch take effect.
        PERFORM set_config('lock_timeout', timeout_ms::text, true);

        -- An operation that cannot be read fails alone.
        FOR item IN SELECT value FROM json_array_elements(batch -> 'operations') LOOP
            BEGIN
                s := pbk_ledger_read_v1(item);
                IF s.op = 'renew' THEN
                    steps := steps || pbk_ledger_renewals_v1(s);
                    renewals := array_append(renewals, s.id);
                ELSE
                    steps := array_append(steps, s);
                END IF;
            EXCEPTION WHEN OTHERS THEN
                results := array_append(results,
                    json_build_object('id', item -> 'id', 'result', 'failed', 'message', SQLERRM));
            END;
        END LOOP;

        -- All batches lock their keys in the same order: they cannot lock each other up.
        FOR s IN
            SELECT u.op, u.id, u.scope, u.key, u.claim, u.owner, u.lease_ms, u.fingerprint, u.recorded_at, u.bot_id,
                u.start_at, u.duration_minutes, u.start_ms, u.conversation, u.account_id, u.body, u.replaces, u.orphan,
                u.reply, u.outcome, u.withdrawn, u."limit", u.not_before_ms, u.claims
            FROM unnest(steps) WITH ORDINALITY AS u
            ORDER BY u.scope COLLATE "C", u.key COLLATE "C", u.ordinality
        LOOP
            IF clock_timestamp() > statement_timestamp() + timeout_ms * interval '1 ms' THEN
                RAISE EXCEPTION 'pbk_ledger: the batch took longer than % ms', timeout_ms
                    USING ERRCODE = 'lock_not_available';
            END IF;
            IF s.op IN ('orphans', 'pending') THEN
                results := array_append(results, pbk_ledger_rows_v1(s));
                CONTINUE;
            END IF;
            answer := pbk_ledger_keyed_v1(s);
            IF s.op <> 'renew' THEN
                results := array_append(results, answer);
            ELSIF answer ->> 'result' = 'lost' THEN
                lost_ids := array_append(lost_ids, s.id);
                lost_keys := array_append(lost_keys, s.key);
            END IF;
        END LOOP;
        results := results || ARRAY(
            SELECT json_build_object('id', renewal, 'result', 'renewed', 'lost', to_json(ARRAY(
                SELECT lost.key FROM unnest(lost_ids, lost_keys) AS lost (id, key) WHERE lost.id = renewal)))
            FROM unnest(renewals) AS renewal);

        -- Comes last, and waits for no lock.
        DELETE FROM pbk_ledger WHERE ctid = ANY (ARRAY(
            SELECT t.ctid FROM pbk_ledger t
            WHERE t.state <> 'open' AND t.updated_at < expired
            ORDER BY t.updated_at LIMIT greatest(64, 2 * cardinality(steps)) FOR UPDATE SKIP LOCKED));
        RETURN json_build_object('results', to_json(results));
    END $batch$;
END $migrate$;
