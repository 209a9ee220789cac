CREATE INDEX credential_member ON credential (member_id, kind);
CREATE INDEX document_adjust ON document (business_date, seq) WHERE kind = 'adjust';
CREATE INDEX document_member ON document (member_id, seq) WHERE member_id IS NOT NULL;
CREATE INDEX document_refers ON document (refers_to, seq) WHERE refers_to IS NOT NULL;
CREATE INDEX document_shift ON document (shift_id, seq);
CREATE INDEX drawer_use_shift ON drawer_use (shift_id, seq);
CREATE INDEX event_backup ON event (seq) WHERE kind = 'backup';
CREATE INDEX event_checkpoint ON event (seq) WHERE kind = 'checkpoint';
CREATE INDEX event_day_close ON event (seq) WHERE kind = 'day_close';
CREATE INDEX event_figures_date ON event_figures (business_date, seq);
CREATE INDEX event_figures_enrol ON event_figures (seq) WHERE kind = 'enrol';
CREATE INDEX event_share_tier ON event_share (seq) WHERE part = 'tier';
CREATE INDEX item_code_item ON item_code (item_id);
CREATE INDEX ledger_member ON ledger (member_id, asset, seq, n, kind, amount);
CREATE INDEX lot_due ON lot (expires, member_id) WHERE asset = 'points';
CREATE INDEX lot_since ON lot (available_from, origin_event) WHERE asset = 'points';
CREATE INDEX member_base_alias ON member_base (alias) WHERE alias IS NOT NULL;
CREATE INDEX member_day_pending ON member_day (counts_from, member_id) WHERE counts_from > business_date;
CREATE INDEX member_state_tier ON member_state (tier_until, member_id) WHERE tier_until IS NOT NULL;
CREATE INDEX print_job_event ON print_job (seq, copy_no);
CREATE INDEX print_job_waiting ON print_job (id) WHERE state IN ('queued', 'sending', 'uncertain');
CREATE INDEX profile_phone ON profile (phone) WHERE phone IS NOT NULL;
CREATE INDEX shift_date ON shift (business_date, opened_seq);
CREATE UNIQUE INDEX shift_one_open ON shift ((closed_seq IS NULL)) WHERE closed_seq IS NULL;
CREATE INDEX split_debit ON split (debit_event, debit_n);
CREATE INDEX split_restored ON split (restored_event, restored_n) WHERE restored_event IS NOT NULL;
CREATE TABLE arriving_card (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    number TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE card_block (
    prefix TEXT PRIMARY KEY,
    next INTEGER NOT NULL,
    last INTEGER NOT NULL,
    CHECK (next <= last + 1)
) STRICT, WITHOUT ROWID;
CREATE TABLE cart (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE TABLE consent (
    member_id BLOB NOT NULL,
    seq INTEGER NOT NULL REFERENCES event (seq),
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    PRIMARY KEY (member_id, purpose, channel, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE consent_base (
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    PRIMARY KEY (member_id, purpose, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE credential (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    state TEXT NOT NULL CHECK (state IN ('stock', 'active', 'lost', 'replaced', 'cancelled')),
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE debt (
    member_id BLOB NOT NULL,
    asset TEXT NOT NULL,
    debit_event BLOB NOT NULL,
    debit_n INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    ord INTEGER NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (member_id, debit_event, debit_n)
) STRICT, WITHOUT ROWID;
CREATE TABLE dirty_cell (
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    field TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (member_id, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE document (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    event_id BLOB NOT NULL UNIQUE CHECK (length(event_id) = 16),
    kind TEXT NOT NULL,
    receipt_no TEXT UNIQUE,
    member_id BLOB,
    shift_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    business_date INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    points_earned INTEGER NOT NULL,
    points_spent INTEGER NOT NULL,
    refers_to BLOB,
    reason TEXT
) STRICT;
CREATE TABLE drawer_use (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    shift_id BLOB NOT NULL CHECK (length(shift_id) = 16),
    staff_id BLOB NOT NULL CHECK (length(staff_id) = 16),
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    reason TEXT NOT NULL,
    approved_by BLOB,
    CHECK (
        (kind = 'in' AND amount_minor > 0) OR (kind = 'out' AND amount_minor < 0)
        OR (kind = 'open' AND amount_minor = 0)
    )
) STRICT;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    command_id BLOB NOT NULL UNIQUE CHECK (length(command_id) = 16),
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE event_figures (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    kind TEXT NOT NULL,
    undoes TEXT,
    business_date INTEGER NOT NULL,
    minute INTEGER NOT NULL CHECK (minute BETWEEN 0 AND 1439),
    staff_id BLOB,
    shift_id BLOB,
    member_id BLOB,
    tier_rank INTEGER,
    reason TEXT,
    gross_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    points_value_minor INTEGER NOT NULL,
    paid_minor INTEGER NOT NULL,
    points_issued INTEGER NOT NULL,
    points_redeemed INTEGER NOT NULL,
    points_expired INTEGER NOT NULL
) STRICT;
CREATE TABLE event_mac (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    mac BLOB NOT NULL CHECK (length(mac) = 16)
) STRICT;
CREATE TABLE event_note (
    event_id BLOB PRIMARY KEY CHECK (length(event_id) = 16),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    text TEXT NOT NULL
) STRICT;
CREATE TABLE event_share (
    seq INTEGER NOT NULL REFERENCES event_figures (seq),
    n INTEGER NOT NULL CHECK (n >= 0),
    part TEXT NOT NULL CHECK (part IN ('tender', 'category', 'tax', 'tier')),
    key TEXT NOT NULL,
    amount INTEGER NOT NULL,
    extra INTEGER NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE head_office (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    address TEXT NOT NULL,
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    their_key BLOB NOT NULL CHECK (length(their_key) = 32),
    control BLOB NOT NULL,
    heard_us INTEGER
) STRICT;
CREATE TABLE incident (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    code TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
CREATE TABLE item (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    category TEXT NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    per_quantity INTEGER NOT NULL DEFAULT 1 CHECK (per_quantity > 0),
    tax_bp INTEGER NOT NULL CHECK (tax_bp >= 0),
    tax_included INTEGER NOT NULL CHECK (tax_included IN (0, 1)),
    py TEXT NOT NULL,
    ini TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE TABLE item_code (
    code TEXT PRIMARY KEY,
    item_id BLOB NOT NULL REFERENCES item (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    seq INTEGER NOT NULL REFERENCES event (seq),
    n INTEGER NOT NULL CHECK (n >= 0),
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    asset TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    business_date INTEGER NOT NULL,
    available_from INTEGER,
    expires INTEGER,
    minimum_expiry INTEGER,
    ref_event BLOB CHECK (ref_event IS NULL OR length(ref_event) = 16),
    ref_n INTEGER,
    PRIMARY KEY (seq, n),
    CHECK ((ref_event IS NULL) = (ref_n IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE link (
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    seq INTEGER NOT NULL CHECK (seq > 0),
    event_id BLOB NOT NULL REFERENCES event (id),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE lot (
    member_id BLOB NOT NULL,
    asset TEXT NOT NULL,
    origin_event BLOB NOT NULL,
    origin_n INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    available_from INTEGER NOT NULL,
    remaining INTEGER NOT NULL CHECK (remaining > 0),
    ord INTEGER NOT NULL,
    PRIMARY KEY (member_id, origin_event, origin_n, expires)
) STRICT, WITHOUT ROWID;
CREATE TABLE lot_sum (
    available_from INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    lots INTEGER NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (available_from, expires)
) STRICT, WITHOUT ROWID;
CREATE TABLE mac_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    next_seq INTEGER NOT NULL CHECK (next_seq > 0),
    key BLOB NOT NULL CHECK (length(key) = 32),
    first_seq INTEGER NOT NULL CHECK (first_seq > 0),
    start BLOB CHECK (start IS NULL OR length(start) = 32)
) STRICT;
CREATE TABLE member (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    joined INTEGER NOT NULL,
    tier TEXT NOT NULL,
    last_visit INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE member_base (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    incl INTEGER NOT NULL CHECK (incl >= 0),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    alias BLOB CHECK (alias IS NULL OR length(alias) = 16),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE member_day (
    member_id BLOB NOT NULL,
    business_date INTEGER NOT NULL,
    counts_from INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    spend INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    PRIMARY KEY (member_id, business_date)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE member_fx USING fts5 (
    name, py, ini, phone, email,
    content = '', contentless_delete = 1, detail = column, prefix = '1 2 3 4 5 6',
    tokenize = "unicode61 remove_diacritics 2 tokenchars '@._-'"
);
CREATE TABLE 'member_fx_config'(k PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE 'member_fx_data'(id INTEGER PRIMARY KEY, block BLOB);
CREATE TABLE 'member_fx_docsize'(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER);
CREATE TABLE 'member_fx_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE member_key (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
CREATE TABLE member_seq (
    seq INTEGER PRIMARY KEY,
    member_id BLOB NOT NULL UNIQUE CHECK (length(member_id) = 16)
) STRICT;
CREATE TABLE member_state (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    seq INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    points INTEGER NOT NULL,
    rest TEXT NOT NULL
, tier_until INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE own_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    since_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    next BLOB CHECK (length(next) = 32),
    next_epoch INTEGER NOT NULL DEFAULT 0,
    former BLOB CHECK (length(former) = 32)
) STRICT;
CREATE TABLE points_sum (
    business_date INTEGER NOT NULL,
    staff_id BLOB NOT NULL,
    tier_rank INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    -- how many events have some of each, and how many changed what is outstanding
    issues INTEGER NOT NULL,
    redemptions INTEGER NOT NULL,
    expiries INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    -- the first and the last of them
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (business_date, staff_id, tier_rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE print_job (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL REFERENCES event (seq),
    kind TEXT NOT NULL,
    copy_no INTEGER NOT NULL CHECK (copy_no >= 0),
    document TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'printed', 'uncertain', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE profile (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    name_py TEXT NOT NULL,
    name_ini TEXT NOT NULL,
    birth_calendar TEXT NOT NULL DEFAULT 'solar' CHECK (birth_calendar IN ('solar', 'lunar')),
    birth_year INTEGER,
    birth_month INTEGER CHECK (birth_month BETWEEN 1 AND 12),
    birth_day INTEGER CHECK (birth_day BETWEEN 1 AND 31),
    note TEXT NOT NULL DEFAULT '',
    alert TEXT NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((birth_month IS NULL) = (birth_day IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE programme (
    version INTEGER PRIMARY KEY,
    starts INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE reference_set (
    key TEXT PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE schema_step (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT
;
CREATE TABLE search_dirty (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16)
) STRICT, WITHOUT ROWID;
CREATE TABLE shift (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    opened_seq INTEGER NOT NULL REFERENCES event (seq),
    staff_id BLOB NOT NULL,
    business_date INTEGER NOT NULL,
    opened_us INTEGER NOT NULL,
    float_minor INTEGER NOT NULL CHECK (float_minor >= 0),
    closed_seq INTEGER REFERENCES event (seq)
, counted_seq INTEGER REFERENCES event (seq)) STRICT, WITHOUT ROWID;
CREATE TABLE slip_copies (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    copies INTEGER NOT NULL CHECK (copies > 0)
) STRICT;
CREATE TABLE split (
    member_id BLOB NOT NULL,
    ord INTEGER NOT NULL,
    asset TEXT NOT NULL,
    debit_event BLOB NOT NULL,
    debit_n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    origin_event BLOB NOT NULL,
    origin_n INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    available_from INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    lot_ord INTEGER NOT NULL,
    restored_event BLOB,
    restored_n INTEGER,
    back_to INTEGER,
    PRIMARY KEY (member_id, ord)
) STRICT, WITHOUT ROWID;
CREATE TABLE staff (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    initials TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('cashier', 'supervisor', 'manager', 'head_office', 'auditor')),
    badge TEXT UNIQUE,
    pin_salt BLOB NOT NULL,
    pin_hash BLOB NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1))
, wait_s INTEGER NOT NULL DEFAULT 0 CHECK (wait_s >= 0), blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)), member_id BLOB CHECK (member_id IS NULL OR length(member_id) = 16), phone TEXT, code INTEGER NOT NULL DEFAULT 0 CHECK (code >= 0)) STRICT, WITHOUT ROWID;
CREATE TABLE staff_sign (
    staff_id BLOB PRIMARY KEY CHECK (length(staff_id) = 16),
    seq INTEGER NOT NULL REFERENCES event (seq),
    signed_in INTEGER NOT NULL CHECK (signed_in IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE TABLE state_checkpoint (
    member_id BLOB PRIMARY KEY,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tier_sum (
    tier TEXT NOT NULL,
    until INTEGER NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (tier, until)
) STRICT, WITHOUT ROWID;
CREATE TABLE till_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT;
CREATE TRIGGER event_mac_no_delete BEFORE DELETE ON event_mac BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;
CREATE TRIGGER event_mac_no_update BEFORE UPDATE ON event_mac BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'journal is insert only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is insert only'); END;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is insert only'); END;
CREATE TRIGGER link_no_delete BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'links are insert only'); END;
CREATE TRIGGER link_no_update BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'links are insert only'); END;
CREATE TRIGGER lot_sum_changed AFTER UPDATE ON lot WHEN OLD.asset = 'points'
BEGIN
    UPDATE lot_sum SET lots = lots - 1, points = points - OLD.remaining
    WHERE available_from = OLD.available_from AND expires = OLD.expires;
    INSERT INTO lot_sum VALUES (NEW.available_from, NEW.expires, 1, NEW.remaining)
    ON CONFLICT (available_from, expires) DO UPDATE SET
        lots = lots + 1, points = points + excluded.points;
END;
CREATE TRIGGER lot_sum_gone AFTER DELETE ON lot WHEN OLD.asset = 'points'
BEGIN
    UPDATE lot_sum SET lots = lots - 1, points = points - OLD.remaining
    WHERE available_from = OLD.available_from AND expires = OLD.expires;
END;
CREATE TRIGGER lot_sum_opened AFTER INSERT ON lot WHEN NEW.asset = 'points'
BEGIN
    INSERT INTO lot_sum VALUES (NEW.available_from, NEW.expires, 1, NEW.remaining)
    ON CONFLICT (available_from, expires) DO UPDATE SET
        lots = lots + 1, points = points + excluded.points;
END;
CREATE TRIGGER points_sum_event AFTER INSERT ON event_figures
WHEN NEW.points_issued != 0 OR NEW.points_redeemed != 0 OR NEW.points_expired != 0
BEGIN
    INSERT INTO points_sum VALUES (
        NEW.business_date, coalesce(NEW.staff_id, x''), coalesce(NEW.tier_rank, -1),
        NEW.points_issued, NEW.points_redeemed, NEW.points_expired,
        NEW.points_issued != 0, NEW.points_redeemed != 0, NEW.points_expired != 0,
        NEW.points_issued - NEW.points_redeemed - NEW.points_expired != 0, NEW.seq, NEW.seq
    )
    ON CONFLICT (business_date, staff_id, tier_rank) DO UPDATE SET
        issued = issued + excluded.issued, redeemed = redeemed + excluded.redeemed,
        expired = expired + excluded.expired, issues = issues + excluded.issues,
        redemptions = redemptions + excluded.redemptions, expiries = expiries + excluded.expiries,
        changes = changes + excluded.changes, first_seq = min(first_seq, excluded.first_seq),
        last_seq = max(last_seq, excluded.last_seq);
END;
CREATE TRIGGER programme_no_update BEFORE UPDATE ON programme BEGIN SELECT RAISE(ABORT, 'a published programme is immutable'); END;
CREATE TRIGGER shift_counted_once BEFORE UPDATE OF counted_seq ON shift
WHEN OLD.counted_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a shift is counted once'); END;
CREATE TRIGGER tier_sum_begun AFTER INSERT ON member_state WHEN NEW.tier_until IS NOT NULL
BEGIN
    UPDATE tier_sum SET members = members - 1
    WHERE tier = (SELECT tier FROM member WHERE id = NEW.member_id) AND until = 0;
    INSERT INTO tier_sum SELECT tier, NEW.tier_until, 1 FROM member WHERE id = NEW.member_id
    ON CONFLICT (tier, until) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER tier_sum_joined AFTER INSERT ON member
BEGIN
    INSERT INTO tier_sum VALUES (
        NEW.tier, coalesce((SELECT tier_until FROM member_state WHERE member_id = NEW.id), 0), 1
    )
    ON CONFLICT (tier, until) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER tier_sum_tier AFTER UPDATE OF tier ON member WHEN OLD.tier != NEW.tier
BEGIN
    UPDATE tier_sum SET members = members - 1 WHERE tier = OLD.tier
    AND until = coalesce((SELECT tier_until FROM member_state WHERE member_id = NEW.id), 0);
    INSERT INTO tier_sum VALUES (
        NEW.tier, coalesce((SELECT tier_until FROM member_state WHERE member_id = NEW.id), 0), 1
    )
    ON CONFLICT (tier, until) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER tier_sum_until AFTER UPDATE OF tier_until ON member_state
WHEN OLD.tier_until IS NOT NEW.tier_until
BEGIN
    UPDATE tier_sum SET members = members - 1
    WHERE tier = (SELECT tier FROM member WHERE id = NEW.member_id)
    AND until = coalesce(OLD.tier_until, 0);
    INSERT INTO tier_sum SELECT tier, coalesce(NEW.tier_until, 0), 1 FROM member
    WHERE id = NEW.member_id
    ON CONFLICT (tier, until) DO UPDATE SET members = members + 1;
END;
