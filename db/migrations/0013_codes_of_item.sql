-- An item's barcodes are replaced with it; to find them all codes were read, as often as a file has items.
CREATE INDEX item_code_item ON item_code (item_id);
