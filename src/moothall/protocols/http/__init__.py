"""Capabilities over plain HTTP."""
