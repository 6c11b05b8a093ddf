"""Raw answers: kept with the facts they prove, so that every number can be traced and the ledger derived again."""

import hashlib
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk, codec, numbers
from omnifolio.store.lists import any_of
from omnifolio.store.schema import evidence

_COLUMNS = (
    "id", "account_id", "page", "stream", "request", "params", "status", "received_at", "digest", "body", "seq",
)  # fmt: skip
_drop = sa.delete(evidence).where(any_of(evidence.c.id, "ids"))
_page_numbers = (
    sa.select(evidence.c.page)
    .where(evidence.c.account_id == sa.bindparam("account"), evidence.c.body.is_not(None))
    .distinct()
    .order_by(evidence.c.page)
)
_of_page = sa.select(evidence).where(evidence.c.page == sa.bindparam("number")).order_by(evidence.c.id)


class Page(Struct, frozen=True):
    """The answers that were decoded together, with their ids. `number` rises with the time of arrival."""

    number: int
    ids: tuple[int, ...]
    answers: tuple[Evidence, ...]


def keep(conn: Connection, account: AccountId, seq: int, items: Sequence[Evidence], *, bodies: bool) -> Sequence[int]:
    """Stores the answers of one page and gives their ids in order. Without `bodies` only their hashes are kept."""
    ids = list(numbers.mint(conn, evidence, len(items)))
    rows = [
        (
            number, account, ids[0], item.stream, item.request, codec.to_json(dict(item.params)), item.status, item.received_at,
            hashlib.sha256(item.body).digest(), codec.squeeze(item.body) if bodies else None, seq,
        )
        for number, item in zip(ids, items, strict=True)
    ]  # fmt: skip
    bulk.insert(conn, evidence, _COLUMNS, rows)
    return ids


def pages(conn: Connection, account: AccountId) -> Iterator[Page]:
    """Every kept page of an account, oldest first, read one at a time."""
    for (number,) in conn.execute(_page_numbers, {"account": account}).all():
        rows = conn.execute(_of_page, {"number": number}).all()
        answers = tuple(
            Evidence(
                stream=row.stream,
                request=row.request,
                params=codec.from_json(row.params),
                status=row.status,
                received_at=EpochMs(row.received_at),
                body=codec.unsqueeze(row.body),
            )
            for row in rows
        )
        yield Page(number, tuple(row.id for row in rows), answers)


def drop_page(conn: Connection, ids: Sequence[int]) -> None:
    """Forgets the answers of a page that changed nothing: the earlier ones prove the same."""
    if ids:
        conn.execute(_drop, {"ids": list(ids)})
