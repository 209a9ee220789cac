"""The product without a window: use-cases, queries, journal, sync, and under them the pure domain."""
