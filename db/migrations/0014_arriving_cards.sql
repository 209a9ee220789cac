-- Cards come in no order: while a till begins with a chain's members they lie here, and are sorted in once.
CREATE TABLE arriving_card (
    member_id BLOB PRIMARY KEY CHECK (length(member_id) = 16),
    number TEXT NOT NULL
) STRICT, WITHOUT ROWID;
