"""Head office's records on disk: implementations of app/protocol/store.py. No rule of the ledger lives here."""
