-- Until when whoever holds a session has proved anew who they are: by any process of head office.
ALTER TABLE console_session ADD COLUMN proved_until_ms INTEGER NOT NULL DEFAULT 0;
