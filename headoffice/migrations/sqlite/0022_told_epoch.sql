-- A till that was put back to an older image tells less far than before, and in a newer epoch.
ALTER TABLE till_staff ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
