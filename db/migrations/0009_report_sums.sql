-- What reports of a large store read instead of every event, lot and member (projection: `verify` adds it up
-- again). Triggers keep each sum in the transaction of the row that changes, whoever changes it; so rows of
-- these tables are written by INSERT … ON CONFLICT, never by REPLACE, which fires no trigger for what it
-- removes. A sum has no CHECK: a wrong one is for `verify` to find and must never stop a sale. What only
-- `verify --rebuild` does, dropping a member's rows, needs no trigger: it writes the sums anew at its end.

-- Points by business date, person and tier. An empty staff_id is nobody's; tier_rank -1 is an event without one.
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

-- Points left in lots, by since when they may be spent and their last good date.
CREATE TABLE lot_sum (
    available_from INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    lots INTEGER NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (available_from, expires)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER lot_sum_opened AFTER INSERT ON lot WHEN NEW.asset = 'points'
BEGIN
    INSERT INTO lot_sum VALUES (NEW.available_from, NEW.expires, 1, NEW.remaining)
    ON CONFLICT (available_from, expires) DO UPDATE SET
        lots = lots + 1, points = points + excluded.points;
END;
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

-- Members by tier and until when it is kept; 0 where no change of tier stands.
CREATE TABLE tier_sum (
    tier TEXT NOT NULL,
    until INTEGER NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (tier, until)
) STRICT, WITHOUT ROWID;
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
CREATE TRIGGER tier_sum_begun AFTER INSERT ON member_state WHEN NEW.tier_until IS NOT NULL
BEGIN
    UPDATE tier_sum SET members = members - 1
    WHERE tier = (SELECT tier FROM member WHERE id = NEW.member_id) AND until = 0;
    INSERT INTO tier_sum SELECT tier, NEW.tier_until, 1 FROM member WHERE id = NEW.member_id
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
-- The newest events behind such a sum, without looking at all of them.
CREATE INDEX lot_since ON lot (available_from, origin_event) WHERE asset = 'points';
CREATE INDEX event_share_tier ON event_share (seq) WHERE part = 'tier';
CREATE INDEX event_figures_enrol ON event_figures (seq) WHERE kind = 'enrol';

-- the sums are to be made of the rows that there are; gone once they are (app/projections.py)
INSERT INTO meta (key, value) VALUES ('sums_due', '1');
