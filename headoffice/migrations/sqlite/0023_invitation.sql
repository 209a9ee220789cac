-- The SHA-256 of an invitation's secret, while the person has not set a password by it. One of before this step
-- has none: who had a one-time password is invited anew.
ALTER TABLE console_staff ADD COLUMN invitation BLOB CHECK (length(invitation) = 32);
