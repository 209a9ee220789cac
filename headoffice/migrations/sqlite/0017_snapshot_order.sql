-- Snapshots have a bucket's members in their order. A night that was under way begins anew: it noted its place by
-- feed numbers.
CREATE INDEX member_bucket ON member (tenant_id, dist_key, bucket, member_id);
UPDATE night SET under_way = NULL;
