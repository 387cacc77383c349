-- Retention by partitions: the traces whose events go with their partitions.

CREATE FUNCTION raceway.sweep_traces(before timestamp, OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_sweep_traces';

COMMENT ON FUNCTION raceway.sweep_traces(timestamp) IS
    'internal to cleanup(): tells the traces that began before a time and go on after it, and removes those that ended, whose '
    'events the caller removes; traces and events are NULL where that is left to delete_ended_traces(), when the events are gone';

CREATE FUNCTION raceway.delete_ended_traces(before timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_delete_ended_traces';

COMMENT ON FUNCTION raceway.delete_ended_traces(timestamp) IS
    'internal to cleanup(): removes the traces that ended before a time, whose events are gone; needs events locked exclusively';
