"""Search: listings brought to concepts, a text index beside them, and one ranking out of both."""
