-- The list of alarms that are over, portion by portion: else each portion sorts all of them.
CREATE INDEX alarm_over ON alarm (tenant_id, dist_key, cleared_ms DESC, kind, subject, raised_ms) WHERE cleared_ms IS NOT NULL;
