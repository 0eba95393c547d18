"""Schema history, run by Alembic; new steps go into ``versions``."""
