-- What a person wrote about an event: free text may name somebody, so it stands outside the chain and can be erased.
CREATE TABLE event_note (
    event_id BLOB PRIMARY KEY CHECK (length(event_id) = 16),
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    text TEXT NOT NULL
) STRICT;

-- points by hand of a day: what an approver has let through (security.md section 4, F5)
CREATE INDEX document_adjust ON document (business_date, seq) WHERE kind = 'adjust';
