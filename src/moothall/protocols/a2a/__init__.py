"""Capabilities over the Agent2Agent protocol: cards, tasks, and plain JSON services."""
