-- How many marked copies there are of an event's slip: print jobs go after five weeks, and the next copy's
-- number follows the last one's all the same. Copies that somebody asked for are events; those that stand
-- for a slip nobody is sure of are not, so this is the till's own record, as print_job is.
CREATE TABLE slip_copies (
    seq INTEGER PRIMARY KEY REFERENCES event (seq),
    copies INTEGER NOT NULL CHECK (copies > 0)
) STRICT;
INSERT INTO slip_copies (seq, copies) SELECT seq, max(copy_no) FROM print_job WHERE copy_no > 0 GROUP BY seq;
INSERT INTO slip_copies (seq, copies)
SELECT original.seq, max(json_extract(CAST(copy.body AS TEXT), '$.doc.copy_no'))
FROM event copy JOIN event original ON original.id = unhex(json_extract(CAST(copy.body AS TEXT), '$.doc.of'))
WHERE copy.kind = 'reprint' GROUP BY original.seq
ON CONFLICT (seq) DO UPDATE SET copies = max(copies, excluded.copies);
