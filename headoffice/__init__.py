"""Head office: the server that the tills sync with. It comes later; the package keeps its place."""
