-- A snapshot is made in many transactions: none is given to a till before it is whole. Old ones are dropped.
ALTER TABLE snapshot ADD COLUMN whole boolean NOT NULL DEFAULT true;
GRANT DELETE ON snapshot TO regulars_app;
