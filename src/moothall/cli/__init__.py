"""The ``moot`` command line."""
