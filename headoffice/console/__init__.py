"""Head office's web console: pages for people. It reads snapshots; what it writes goes through the writer."""
