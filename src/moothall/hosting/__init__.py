"""Hosting agents: who they are, what they can do, and the ways in and out."""
