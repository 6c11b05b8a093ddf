"""The names under which events were seen: each leads to one transaction for ever, whatever is merged or taken back.

Beside the names of an event stand its claims' own: what identifies a claim leads to its transaction as well. So one look-up tells
all that is known of a page, and a page of new events only adds rows. A short name is its own key, so that the numbers that venues
count lie side by side; a long one, a hash nearly always, has a digest for its key. A row is never changed: where two transactions
became one, the younger itself says where it went.
"""

from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.ids import AccountId
from omnifolio.store import bulk
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import refs, transactions

TEXT_LENGTH_MAX = 60
"""Characters of a name that is its own key."""
DIGEST_BYTES = 15
"""120 bits: two names of one account do not meet by chance, nor for anybody who tries."""
_OWN, _PERSON = "=", b"claim"
"""What tells a claim's own name from those of events, in a text and in a digest."""

_led = Reading(
    sa.select(refs.c.key, refs.c.transaction_id, transactions.c.merged_into)
    .join(transactions, transactions.c.id == refs.c.transaction_id, isouter=True)
    .where(refs.c.account_id == sa.bindparam("account"), any_of(refs.c.key, "keys"))
)
_moved = Reading(
    sa.select(transactions.c.id, transactions.c.merged_into).where(
        any_of(transactions.c.id, "ids"), transactions.c.merged_into.is_not(None)
    )
)
_move = (
    sa.update(refs)
    .where(refs.c.account_id == sa.bindparam("account"), refs.c.transaction_id == sa.bindparam("younger"))
    .values(transaction_id=sa.bindparam("older"))
)


def keys(names: Iterable[str]) -> list[str]:
    """The keys of events' names, in their order."""
    # A digest has no colon in it, so no short name can be taken for one.
    return [name if len(name) <= TEXT_LENGTH_MAX and ":" in name and name[0] != _OWN else _digest(name, b"") for name in names]


def own_key(ref: str, book: str, origin: str) -> str:
    """The key of what identifies a claim within its account."""
    name = f"{_OWN}{origin}{_OWN}{book}{_OWN}{ref}"
    return name if len(name) <= TEXT_LENGTH_MAX else _digest(name, _PERSON)


def _digest(name: str, person: bytes) -> str:
    return b2a_base64(blake2b(name.encode(), digest_size=DIGEST_BYTES, person=person).digest(), newline=False).decode()


def leads(conn: Connection, account: AccountId, wanted: Iterable[str]) -> dict[str, int]:
    """The transactions to which keys lead, after all merging; those that were never seen are absent."""
    asked = sorted(set(wanted))
    if not asked:
        return {}
    found: dict[str, int] = {}
    redirects: dict[int, int] = {}
    for name, number, target in _led.rows(conn, account=account, keys=given(conn, asked)):
        found[name] = number
        if target is not None:
            redirects[number] = target
    open_ = set(redirects.values())
    while open_:
        further = {row[0]: row[1] for row in _moved.rows(conn, ids=given(conn, sorted(open_)))}
        redirects |= further
        open_ = set(further.values())
    return {name: _end(number, redirects) for name, number in found.items()} if redirects else found


def _end(number: int, redirects: dict[int, int]) -> int:
    while number in redirects:
        number = redirects[number]
    return number


def file(conn: Connection, account: AccountId, new: Mapping[str, int]) -> None:
    """Stores keys that were never seen, each with its transaction."""
    # In the order of the index: its pages are then found one after the other, in half the time.
    bulk.insert(conn, refs, ("key", "transaction_id"), sorted(new.items()), same={"account_id": account})


def move(conn: Connection, account: AccountId, *, younger: int, older: int) -> None:
    """Lets the names of a transaction lead elsewhere: of one whose row was dropped, so that it can say nothing itself.

    It reads all names of the account, and is for that rare case alone.
    """
    conn.execute(_move, {"account": account, "younger": younger, "older": older})
