-- Retention by partitions: the traces whose events went with their partition.

CREATE FUNCTION raceway.delete_ended_traces(before timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_delete_ended_traces';

COMMENT ON FUNCTION raceway.delete_ended_traces(timestamp) IS
    'internal to cleanup(): removes the traces that ended before a time, whose events are gone; needs events locked exclusively';
