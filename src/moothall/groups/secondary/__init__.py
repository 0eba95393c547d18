"""Secondary authorization: what the agents of one group may do to each other beyond their own rights."""
