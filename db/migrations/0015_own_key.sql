-- The keys by which the till signs for head office, beside the one that it signs with (head_office.seed):
-- `next` is being offered there and was made in an epoch, `former` is the one before, for a head office that was
-- put back; since when, and of which epoch, the one in use is. A till that joined before has no row: not known.
CREATE TABLE own_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    since_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    next BLOB CHECK (length(next) = 32),
    next_epoch INTEGER NOT NULL DEFAULT 0,
    former BLOB CHECK (length(former) = 32)
) STRICT;
