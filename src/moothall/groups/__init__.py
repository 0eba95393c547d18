"""Groups of agents: who is in them, what they say to each other, what they do together."""
