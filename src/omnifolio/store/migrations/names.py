"""0005 → 0006: long names of events are kept as digests, and what identifies a claim is one of them.

Three indexes of long texts were most of what a new transaction cost: the names, the claims' own ones and the on-chain events. The
keys are worked out here as they were when this step was written, so that it never depends on later code.
"""

from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store import bulk
from omnifolio.store.schema import METADATA

ROWS_TOGETHER = 10_000
UNIQUE = "uq_claims_account_id_ref_book_origin"
DROPPED_INDEXES = ("ix_transactions_event", "ix_refs_transaction_id", "ix_claims_transaction_id", "ix_claims_unsettled")

_NAMES = sa.text(
    "SELECT account_id, ref, transaction_id FROM old_refs WHERE account_id > :account OR (account_id = :account AND ref > :ref) "
    "ORDER BY account_id, ref LIMIT :count"
)
_CLAIMS = sa.text(
    "SELECT id, account_id, book, origin, ref, transaction_id FROM claims WHERE id > :last ORDER BY id LIMIT :count"
)


def upgrade(conn: Connection) -> None:
    """Files every name and every claim under its key, and takes away the indexes that those replace."""
    for name in DROPPED_INDEXES:
        conn.execute(sa.text(f"DROP INDEX {name}"))
    conn.execute(sa.text("ALTER TABLE refs RENAME TO old_refs"))
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("ALTER INDEX pk_refs RENAME TO pk_old_refs"))
    METADATA.tables["refs"].create(conn)
    for rows in chain(_names(conn), _claims(conn)):
        bulk.insert(conn, METADATA.tables["refs"], ("account_id", "key", "transaction_id"), sorted(rows))
    conn.execute(sa.text("DROP TABLE old_refs"))
    _without_unique_texts(conn)
    for index in METADATA.tables["claims"].indexes:
        index.create(conn)


def _names(conn: Connection) -> Iterator[Sequence[tuple[int, str, int]]]:
    account, ref = 0, ""
    while rows := conn.execute(_NAMES, {"account": account, "ref": ref, "count": ROWS_TOGETHER}).all():
        yield [(row[0], _key(row[1]), row[2]) for row in rows]
        account, ref = rows[-1][:2]


def _claims(conn: Connection) -> Iterator[Sequence[tuple[int, str, int]]]:
    last = 0
    while rows := conn.execute(_CLAIMS, {"last": last, "count": ROWS_TOGETHER}).all():
        yield [(row[1], _own_key(f"={row[3]}={row[2]}={row[4]}"), row[5]) for row in rows]
        last = rows[-1][0]


def _key(name: str) -> str:
    return name if len(name) <= 60 and ":" in name and name[0] != "=" else _digest(name, b"")


def _own_key(name: str) -> str:
    return name if len(name) <= 60 else _digest(name, b"claim")


def _digest(name: str, person: bytes) -> str:
    return b2a_base64(blake2b(name.encode(), digest_size=15, person=person).digest(), newline=False).decode()


def _without_unique_texts(conn: Connection) -> None:
    """Claims without the index over their texts. SQLite cannot drop it, so there the table is written anew."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text(f"ALTER TABLE claims DROP CONSTRAINT {UNIQUE}"))
        return
    conn.execute(sa.text("ALTER TABLE claims RENAME TO old_claims"))
    table = METADATA.tables["claims"]
    conn.execute(sa.schema.CreateTable(table))
    names = ", ".join(column.name for column in table.columns)
    conn.execute(sa.text(f"INSERT INTO claims ({names}) SELECT {names} FROM old_claims ORDER BY id"))
    conn.execute(sa.text("DROP TABLE old_claims"))
