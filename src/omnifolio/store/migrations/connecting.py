"""0010 → 0011: what opens Connect and what its open pages show, as keyed hashes, and how far visits came."""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("connect_tokens", "connect_events")


def upgrade(conn: Connection) -> None:
    """Adds the tables and their indexes. No page is open yet."""
    for name in TABLES:
        METADATA.tables[name].create(conn)
