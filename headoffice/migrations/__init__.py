"""Numbered schema steps of head office's store in SQLite, forward only. A released file is never edited."""
