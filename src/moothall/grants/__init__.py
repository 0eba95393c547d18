"""Delegation: rights that one agent lends another, signed, narrowed, limited in time, and taken back at any moment."""
