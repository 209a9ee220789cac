-- The list of documents that differ, page by page: else each page sorts all of them. Not tenant_id, dist_key first: see 0020.
CREATE INDEX recount_flag_noted ON recount_flag (tenant_id, noted_ms DESC, event_id, what, dist_key);
