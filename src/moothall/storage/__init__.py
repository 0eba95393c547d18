"""Where everything that lasts is kept: SQLite by default, PostgreSQL for several processes."""
