"""Numbered schema steps of head office's store, a folder for each database. A released file is never edited."""
