-- The Z before another one of the same till, by its number.
CREATE INDEX till_close_number ON till_close (tenant_id, device_id, number, event_id);
