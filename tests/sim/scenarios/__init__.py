"""Failures of systems in the field, one named test each (sync.md section 1, Odoo's row)."""
