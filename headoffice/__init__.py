"""Head office: the server that the tills sync with. So far its store; docs/decisions/head-office-store.md."""
