"""Raw answers: kept with the facts they prove, so that every number can be traced and the ledger derived again."""

import hashlib
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence
from omnifolio.model.ids import AccountId
from omnifolio.store import codec, numbers
from omnifolio.store.lists import any_of
from omnifolio.store.schema import evidence

_insert = sa.insert(evidence)
_drop = sa.delete(evidence).where(any_of(evidence.c.id, "ids"))
_pages = (
    sa.select(
        evidence.c.page,
        evidence.c.stream,
        evidence.c.request,
        evidence.c.params,
        evidence.c.status,
        evidence.c.received_at,
        evidence.c.body,
    )
    .where(evidence.c.account_id == sa.bindparam("account"), evidence.c.body.is_not(None))
    .order_by(evidence.c.page, evidence.c.id)
)


def keep(conn: Connection, account: AccountId, seq: int, items: Sequence[Evidence], *, bodies: bool) -> Sequence[int]:
    """Stores the answers of one page and gives their ids in order. Without `bodies` only their hashes are kept."""
    ids = list(numbers.mint(conn, evidence, len(items)))
    if items:
        conn.execute(
            _insert,
            [
                {
                    "id": number,
                    "account_id": account,
                    "page": ids[0],
                    "stream": item.stream,
                    "request": item.request,
                    "params": codec.to_json(dict(item.params)),
                    "status": item.status,
                    "received_at": item.received_at,
                    "digest": hashlib.sha256(item.body).digest(),
                    "body": codec.squeeze(item.body) if bodies else None,
                    "seq": seq,
                }
                for number, item in zip(ids, items, strict=True)
            ],
        )
    return ids


def pages(conn: Connection, account: AccountId) -> Iterator[tuple[int, Sequence[Evidence]]]:
    """Every kept page of an account, oldest first: (page, the answers that were decoded together)."""
    current: list[Evidence] = []
    number = 0
    for row in conn.execute(_pages, {"account": account}):
        if current and row.page != number:
            yield number, current
            current = []
        number = row.page
        current.append(
            Evidence(
                stream=row.stream,
                request=row.request,
                params=codec.from_json(row.params),
                status=row.status,
                received_at=EpochMs(row.received_at),
                body=codec.unsqueeze(row.body),
            )
        )
    if current:
        yield number, current


def drop_page(conn: Connection, ids: Sequence[int]) -> None:
    """Forgets the answers of a page that changed nothing: the earlier ones prove the same."""
    if ids:
        conn.execute(_drop, {"ids": list(ids)})
