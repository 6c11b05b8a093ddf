"""0007 → 0008: how the owner signs in to the console, and where they are signed in.

The tables begin empty: nobody is signed in until the owner uses a link.
"""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("console_links", "console_methods", "console_sessions")


def upgrade(conn: Connection) -> None:
    """Adds the tables."""
    for name in TABLES:
        METADATA.tables[name].create(conn)
