"""Head office: the server that the tills sync with. It arrives with its own issue; the package holds its place."""
