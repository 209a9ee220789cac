-- Without statistics two columns that are equal look like one row: a member was looked for by `member_bucket`, through
-- all of its tenant's. Only what is unique, or partial, or goes on like the primary key, may begin with both columns; and
-- a partial one only has the rows that its own question is about.
DROP INDEX member_bucket, cell_value, hold_lines, till_close_date, till_close_device, late_event_close,
    console_session_staff, adjustment_of, adjustment_on;
CREATE INDEX member_bucket ON member (tenant_id, bucket, member_id, dist_key);
CREATE INDEX cell_value ON cell (tenant_id, dist_key, field, lower(value) COLLATE "C", member_id)
    WHERE value IS NOT NULL;
CREATE INDEX hold_lines ON hold (tenant_id, dist_key, sale, hold_id) WHERE standing = 'open' AND sale IS NOT NULL;
CREATE INDEX till_close_date ON till_close (tenant_id, business_date, dist_key);
CREATE INDEX till_close_device ON till_close (tenant_id, device_id, business_date, dist_key);
CREATE INDEX late_event_close ON late_event (tenant_id, close_event, dist_key);
CREATE INDEX console_session_staff ON console_session (tenant_id, staff_id, dist_key);
CREATE INDEX adjustment_of ON adjustment (tenant_id, member_id, business_date, dist_key);
CREATE INDEX adjustment_on ON adjustment (tenant_id, standing, business_date, dist_key);
