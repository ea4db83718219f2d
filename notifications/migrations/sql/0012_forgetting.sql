-- The one way out of the table: at most so many rows that were delivered and read, none of the last thirteen
-- months; returns how many went. Whoever may call it need not be allowed to delete from the table.
CREATE OR REPLACE FUNCTION forget_notifications(before timestamptz, most integer) RETURNS integer
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = public, pg_temp
AS $$
WITH gone AS (
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications
        WHERE status = 'delivered' AND read_at IS NOT NULL
            AND delivered_at < least(before, statement_timestamp() - interval '13 months')
        ORDER BY delivered_at LIMIT most FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT count(*)::integer FROM gone
$$;
