"""What tills and head office say to each other: event bytes, the chain, the halves of the sync core. Pure."""
