-- What other systems are told: receivers, messages that they have yet to hear, and alarms.
-- headoffice/webhooks/ and headoffice/alarms.py read and write it.

CREATE TABLE webhook (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    webhook_id BLOB NOT NULL CHECK (length(webhook_id) = 16),
    url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 500),
    kinds TEXT NOT NULL,
    secret_number INTEGER NOT NULL CHECK (secret_number > 0),
    rotated_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, webhook_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

-- webhook_id of zeros: e-mail. parked_ms: since when it is not tried any more.
CREATE TABLE webhook_message (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    webhook_id BLOB NOT NULL CHECK (length(webhook_id) = 16),
    number INTEGER NOT NULL CHECK (number > 0),
    message_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    member_id BLOB CHECK (length(member_id) = 16),
    body BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    due_ms INTEGER NOT NULL,
    last TEXT NOT NULL,
    parked_ms INTEGER,
    PRIMARY KEY (tenant_id, dist_key, webhook_id, number),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_message_due ON webhook_message (tenant_id, dist_key, webhook_id, due_ms, number)
    WHERE parked_ms IS NULL;
CREATE INDEX webhook_message_member ON webhook_message (tenant_id, dist_key, webhook_id, member_id, number)
    WHERE parked_ms IS NULL;

-- figure: seconds, events or points, as the kind has it.
CREATE TABLE alarm (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised_ms INTEGER NOT NULL,
    figure INTEGER NOT NULL,
    cleared_ms INTEGER,
    PRIMARY KEY (tenant_id, dist_key, kind, subject, raised_ms),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX alarm_standing ON alarm (tenant_id, dist_key, raised_ms) WHERE cleared_ms IS NULL;
