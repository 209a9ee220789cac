-- A member's row as tills get it (wire.MemberRow, packed): pages are sent without reading it. NULL until the member
-- is written the next time; such a row is made of `rest` when it is asked for.
ALTER TABLE member ADD COLUMN wire BLOB;
