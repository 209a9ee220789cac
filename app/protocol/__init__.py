"""What tills and head office say to each other: event bytes, the chain, later the sync core. Pure."""
