"""0001 → 0002: a leg carries its transaction's type, and pairs of wallet and token that no leg has together are kept."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TYPES = ("deposit", "withdrawal", "trade", "staking", "unstaking", "reward", "bonus", "other")
"""A type's number is its place here."""
CHANGED_INDEXES = ("ix_transactions_page", "ix_transactions_type", "ix_legs_token", "ix_legs_wallet")

_NUMBER = "CASE t.type " + " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(TYPES)) + " END"
_FILL = sa.text(f"UPDATE legs SET type_number = (SELECT {_NUMBER} FROM transactions t WHERE t.id = legs.transaction_id)")
_CROSS = sa.text(
    "INSERT INTO crossings (transaction_id, wallet_id, token_id, type_number, at) "
    "SELECT DISTINCT a.transaction_id, a.wallet_id, b.token_id, a.type_number, a.at "
    "FROM legs a JOIN legs b ON b.transaction_id = a.transaction_id WHERE NOT EXISTS (SELECT 1 FROM legs c "
    "WHERE c.transaction_id = a.transaction_id AND c.wallet_id = a.wallet_id AND c.token_id = b.token_id)"
)


def upgrade(conn: Connection) -> None:
    """Adds the column, fills it and the new table, and builds the indexes anew."""
    is_sqlite = conn.dialect.name == "sqlite"
    for name in CHANGED_INDEXES:
        conn.execute(sa.text(f"DROP INDEX {name}"))
    conn.execute(sa.text(f"ALTER TABLE legs ADD COLUMN type_number {'INTEGER' if is_sqlite else 'BIGINT'} NOT NULL DEFAULT 0"))
    if not is_sqlite:
        conn.execute(sa.text("ALTER TABLE legs ALTER COLUMN type_number DROP DEFAULT"))
    conn.execute(_FILL)
    METADATA.tables["crossings"].create(conn)
    conn.execute(_CROSS)
    for table in ("transactions", "legs"):
        for index in METADATA.tables[table].indexes:
            index.create(conn, checkfirst=True)
