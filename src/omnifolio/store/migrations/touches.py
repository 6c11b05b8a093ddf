"""0002 → 0003: one row says that a transaction touches a wallet, in the place of one index entry for each leg.

A claim's digest goes: what it says is stored, and compared with itself. So does a leg's account, which its wallet has.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

DROPPED_INDEXES = ("ix_transactions_page", "ix_legs_token", "ix_legs_wallet")

_FILL = sa.text(
    "INSERT INTO touches (wallet_id, type_number, at, transaction_id) "
    "SELECT DISTINCT wallet_id, type_number, at, transaction_id FROM legs"
)
_SUM = sa.text(
    "INSERT INTO sums (wallet_id, token_id, amount) SELECT DISTINCT l.wallet_id, l.token_id, '0' FROM legs l "
    "WHERE NOT EXISTS (SELECT 1 FROM sums s WHERE s.wallet_id = l.wallet_id AND s.token_id = l.token_id)"
)


def upgrade(conn: Connection) -> None:
    """Fills the new table, gives every pair that was ever moved a sum, and drops the indexes that nothing asks any more."""
    METADATA.tables["touches"].create(conn)
    conn.execute(_FILL)
    conn.execute(_SUM)
    conn.execute(sa.text("ALTER TABLE claims DROP COLUMN digest"))
    for name in DROPPED_INDEXES:
        conn.execute(sa.text(f"DROP INDEX IF EXISTS {name}"))
    conn.execute(sa.text("ALTER TABLE legs DROP COLUMN account_id"))
