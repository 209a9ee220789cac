-- The list of documents that differ, page by page: else each page sorts all of them.
CREATE INDEX recount_flag_noted ON recount_flag (tenant_id, dist_key, noted_ms DESC, event_id, what);
