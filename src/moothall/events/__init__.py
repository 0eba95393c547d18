"""The event log: append, keyed steps, inbox, outbox, live streams and the worker that drives runs."""
