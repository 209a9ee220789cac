-- Every table but the tenant's own begins its primary key with (tenant_id, dist_key), and nothing is unique
-- beyond one dist_key (sync.md section 5). Ids have 16 bytes, times are milliseconds UTC, dates days since 1970.

CREATE TABLE tenant (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    timeline INTEGER NOT NULL,
    budget INTEGER NOT NULL CHECK (budget >= 0),
    clock_ms INTEGER NOT NULL,
    as_of_ms INTEGER NOT NULL,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    overdrawn INTEGER NOT NULL CHECK (overdrawn >= 0),
    lost INTEGER NOT NULL CHECK (lost >= 0),
    written_off INTEGER NOT NULL CHECK (written_off >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    device_id BLOB NOT NULL CHECK (length(device_id) = 16),
    home TEXT NOT NULL,
    buckets BLOB NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    reported INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('live', 'lost', 'locked')),
    fenced INTEGER NOT NULL CHECK (fenced IN (0, 1)),
    nonce BLOB NOT NULL,
    common INTEGER NOT NULL CHECK (common >= 0),
    rebased_ms BLOB NOT NULL,
    seen BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_reported ON device (tenant_id, dist_key, reported) WHERE standing = 'live';

CREATE TABLE link (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    seq INTEGER NOT NULL CHECK (seq > 0),
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (tenant_id, dist_key, device_id, epoch, seq),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL,
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    body BLOB NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('posted', 'forwarded', 'quarantined')),
    PRIMARY KEY (tenant_id, dist_key, event_id)
) STRICT;

CREATE TABLE member (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    bucket TEXT NOT NULL,
    feed INTEGER NOT NULL CHECK (feed > 0),
    alias BLOB,
    erased_at INTEGER NOT NULL CHECK (erased_at >= 0),
    rest BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, alias) REFERENCES member (tenant_id, dist_key, member_id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE INDEX member_feed ON member (tenant_id, dist_key, bucket, feed);

CREATE TABLE reservation (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    member_id BLOB NOT NULL,
    asset TEXT NOT NULL,
    device_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    local INTEGER CHECK (local BETWEEN 1 AND amount),
    PRIMARY KEY (tenant_id, dist_key, member_id, asset, device_id),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_device ON reservation (tenant_id, dist_key, device_id);

-- number: the owner's order of one member's entries, without gaps from 1.
CREATE TABLE ledger (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    member_id BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    event_id BLOB NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    asset TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (
        'earn', 'redeem', 'expire', 'unexpire', 'adjust', 'reverse', 'opening',
        'measure', 'upgrade', 'review', 'manual'
    )),
    amount INTEGER NOT NULL,
    business_date INTEGER NOT NULL,
    available_from INTEGER,
    expires INTEGER,
    minimum_expiry INTEGER,
    ref_event BLOB CHECK (length(ref_event) = 16),
    ref_n INTEGER CHECK ((ref_n IS NULL) = (ref_event IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, member_id, number),
    UNIQUE (tenant_id, dist_key, event_id, n),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    hold_id BLOB NOT NULL CHECK (length(hold_id) = 16),
    device_id BLOB NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    standing TEXT NOT NULL CHECK (standing IN ('open', 'captured', 'void', 'written_off')),
    member_id BLOB,
    asset TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    business_date INTEGER NOT NULL,
    sale BLOB,
    lines BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, hold_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX hold_open ON hold (tenant_id, dist_key, device_id, hold_id) WHERE standing = 'open';
CREATE INDEX hold_lines ON hold (tenant_id, dist_key, sale, hold_id) WHERE standing = 'open';

CREATE TABLE risk_grant (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    grant_id BLOB NOT NULL CHECK (length(grant_id) = 16),
    device_id BLOB NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    cap INTEGER NOT NULL CHECK (cap >= 0),
    lease_until_ms INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('open', 'closed', 'written_off')),
    PRIMARY KEY (tenant_id, dist_key, grant_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX risk_grant_open ON risk_grant (tenant_id, dist_key, device_id) WHERE standing = 'open';

-- number: the order of arrival of one sale's returns.
CREATE TABLE sale_return (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    sale BLOB NOT NULL CHECK (length(sale) = 16),
    number INTEGER NOT NULL CHECK (number > 0),
    event_id BLOB NOT NULL,
    member_id BLOB,
    business_date INTEGER NOT NULL,
    parts BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, sale, number),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- Cells as they came; number: the order of one member's. The ones that stand are in the member's `rest`.
CREATE TABLE cell (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    number INTEGER NOT NULL CHECK (number > 0),
    field TEXT NOT NULL,
    value TEXT,
    hlc INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    over INTEGER NOT NULL,
    decides INTEGER NOT NULL,
    conflict BLOB,
    PRIMARY KEY (tenant_id, dist_key, member_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX cell_sent ON cell (tenant_id, dist_key, member_id, field, device_id, hlc, number);

-- A row without a body at or below its bucket's floor is gone from the feed and known by its key alone.
CREATE TABLE reference_set (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    key TEXT NOT NULL,
    bucket TEXT NOT NULL,
    feed INTEGER NOT NULL CHECK (feed > 0),
    version INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (tenant_id, dist_key, key)
) STRICT;

CREATE INDEX reference_set_feed ON reference_set (tenant_id, dist_key, bucket, feed);

CREATE TABLE feed_head (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    bucket TEXT NOT NULL,
    head INTEGER NOT NULL CHECK (head >= 0),
    floor INTEGER NOT NULL CHECK (floor BETWEEN 0 AND head),
    PRIMARY KEY (tenant_id, dist_key, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    bucket TEXT NOT NULL,
    snapshot_id INTEGER NOT NULL CHECK (snapshot_id > 0),
    timeline INTEGER NOT NULL,
    feed INTEGER NOT NULL CHECK (feed >= 0),
    have BLOB NOT NULL,
    frames INTEGER NOT NULL CHECK (frames > 0),
    reference_sets BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, bucket, snapshot_id)
) STRICT;

CREATE TABLE snapshot_frame (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    snapshot_id INTEGER NOT NULL,
    frame INTEGER NOT NULL CHECK (frame >= 0),
    rows BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, bucket, snapshot_id, frame),
    FOREIGN KEY (tenant_id, dist_key, bucket, snapshot_id)
        REFERENCES snapshot (tenant_id, dist_key, bucket, snapshot_id)
) STRICT;

CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are insert-only'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are insert-only'); END;
CREATE TRIGGER link_stays BEFORE UPDATE ON link BEGIN SELECT raise(ABORT, 'links are insert-only'); END;
CREATE TRIGGER link_is_kept BEFORE DELETE ON link BEGIN SELECT raise(ABORT, 'links are insert-only'); END;
CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is insert-only'); END;
CREATE TRIGGER ledger_is_kept BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is insert-only'); END;
