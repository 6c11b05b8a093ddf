"""0012 → 0013: webhooks, what they are to be told, and what became of it."""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("webhooks", "outbox", "deliveries", "attempts")


def upgrade(conn: Connection) -> None:
    """Adds the tables and their indexes; there is nothing to tell of what was before."""
    for name in TABLES:
        METADATA.tables[name].create(conn)
