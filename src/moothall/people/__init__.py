"""People and their agents, and the teams, departments and organisations that they belong to."""
