"""Capabilities over the Model Context Protocol, on the official SDK."""
