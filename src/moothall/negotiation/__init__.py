"""Agreement: a plan among many, a protocol between two."""
