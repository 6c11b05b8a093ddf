"""0011 → 0012: of the ends of transfers only by what they are found; what they are is read from their transactions and legs.

A row of them with three indexes was half of what a chain's transaction cost to write. The numbers are worked out here as they
were when this step was written, so that it never depends on later code.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store import bulk
from omnifolio.store.schema import METADATA

ROWS_TOGETHER = 10_000

_LEGS = sa.text(
    "SELECT t.id, l.key, t.user_id, t.type, t.event, l.amount, l.counterparty FROM transactions t "
    "JOIN legs l ON l.transaction_id = t.id JOIN tokens k ON k.id = l.token_id "
    "WHERE (t.id > :last OR (t.id = :last AND l.key > :key)) AND t.state = 'live' AND t.type IN ('deposit', 'withdrawal') "
    "AND t.status IN ('confirmed', 'pending') AND (t.subtype IS NULL OR t.subtype <> 'liquidation') "
    "AND l.role <> 'fee' AND k.kind <> 'fiat' AND l.amount <> '0' ORDER BY t.id, l.key LIMIT :count"
)
_HASH = re.compile(r"[0-9a-f]{64}")


def upgrade(conn: Connection) -> None:
    """Makes the table anew and fills it from the legs that stand."""
    conn.execute(sa.text("DROP TABLE ends"))
    METADATA.tables["ends"].create(conn)
    last, key = 0, ""
    kept: set[tuple[int, int, int]] = set()
    while rows := conn.execute(_LEGS, {"last": last, "key": key, "count": ROWS_TOGETHER}).all():
        found = {row for told in rows for row in _rows(told)} - kept
        bulk.insert(conn, METADATA.tables["ends"], ("user_id", "number", "transaction_id"), sorted(found))
        last, key = rows[-1][:2]
        # The legs of one transaction may lie on both sides of the border.
        kept = {row for row in found if row[2] == last}


def _rows(told: Sequence[Any]) -> Iterator[tuple[int, int, int]]:
    number, _, user, type_, event, amount, party = told
    is_out = type_ == "withdrawal"
    if amount.startswith("-") is not is_out:
        return
    if event is not None:
        yield user, _number(_plain(event)), number
    if is_out and party:
        body = (party.lower() if party.startswith(("0x", "0X")) else party).removeprefix("0x")
        if len(body) > 8:
            yield user, _number(f"{body[:4]}…{body[-4:]}"), number


def _plain(event: str) -> str:
    chain, _, name = event.rpartition(":")
    bare = name.lower().removeprefix("0x")
    if not _HASH.fullmatch(bare):
        return event
    return f"{chain}:0x{bare}" if chain.startswith("eip155:") else f"{chain}:{bare}"


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
