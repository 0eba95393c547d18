"""One demand, many agents (spec C)."""
