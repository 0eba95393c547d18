"""Decisions: one typed port, a brain behind it."""
