-- When somebody last looked at a document that differs: an alarm that stands rings again for what came since.
CREATE INDEX recount_flag_seen ON recount_flag (tenant_id, dist_key, seen_ms) WHERE seen_ms IS NOT NULL;
