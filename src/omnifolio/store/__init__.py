"""The only door to disk: SQLite or PostgreSQL behind one interface."""
