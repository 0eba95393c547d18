"""A node of its own for two agents that negotiate a protocol, with the names of spec A."""
