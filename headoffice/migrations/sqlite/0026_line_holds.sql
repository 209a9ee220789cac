-- Only holds of lines name a sale: an amount that is reserved has no place in this index, as in PostgreSQL.
DROP INDEX hold_lines;
CREATE INDEX hold_lines ON hold (tenant_id, dist_key, sale, hold_id) WHERE standing = 'open' AND sale IS NOT NULL;
