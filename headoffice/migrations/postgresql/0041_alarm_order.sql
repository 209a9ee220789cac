-- The list of alarms that are over, portion by portion: else each portion sorts all of them. Not tenant_id, dist_key first: see 0020.
CREATE INDEX alarm_over ON alarm (tenant_id, cleared_ms DESC, kind, subject, raised_ms, dist_key) WHERE cleared_ms IS NOT NULL;
