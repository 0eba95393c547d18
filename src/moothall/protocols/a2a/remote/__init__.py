"""Calling A2A agents and plain JSON services elsewhere."""
