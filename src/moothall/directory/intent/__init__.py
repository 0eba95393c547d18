"""Calling by intent: words, the capability that they mean, its arguments, the call."""
