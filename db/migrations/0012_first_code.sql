-- The number of the last first code that a person took at this till (app/protocol/shop_staff.py).
ALTER TABLE staff ADD COLUMN code INTEGER NOT NULL DEFAULT 0 CHECK (code >= 0);
