"""The guard against fraud at the counter (security.md section 4): facts in, cases out, and what to stop.

Pure: the same code judges a year of a chain and the sale that is being paid. Reading the facts out of events
and rows is app.queries.guard_facts' work.
"""
