"""Reading links: what a transaction is the other side of, and pages of transfers, linked ones and those that wait for a word."""

from collections.abc import Mapping, Sequence
from typing import cast

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.meaning.transfers import Evidence, State
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import links, transactions

PAGE_MAX = 1000
"""Transfers in one answer at the most."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_source, _target = transactions.alias("source"), transactions.alias("target")
_joined = (
    sa.select(
        links.c.source_id, links.c.source_key, _source.c.account_id, links.c.target_id, links.c.target_key, _target.c.account_id,
        links.c.state, links.c.evidence, links.c.confidence, links.c.at,
    )
    .join(_source, _source.c.id == links.c.source_id)
    .join(_target, _target.c.id == links.c.target_id)
    .where(links.c.user_id == _user)
)  # fmt: skip
_of = Reading(
    _joined.where(links.c.state == "linked", sa.or_(any_of(links.c.source_id, "ids"), any_of(links.c.target_id, "ids")))
)
_page = Reading(
    _joined.where(links.c.state == sa.bindparam("state"), links.c.at < sa.bindparam("before"))
    .order_by(links.c.at.desc(), links.c.source_id, links.c.source_key, links.c.target_id, links.c.target_key)
    .limit(sa.bindparam("count"))
)


class Side(Struct, frozen=True):
    """A leg of a transaction of an account."""

    account: AccountId
    transaction: TransactionId
    key: str


class Transfer(Struct, frozen=True, kw_only=True):
    """What left `source` and arrived at `target`; `at` is when it left, `confidence` is in thousandths."""

    source: Side
    target: Side
    state: State
    evidence: tuple[Evidence, ...]
    confidence: int
    at: EpochMs


def of_transactions(
    conn: Connection, principal: Principal, numbers: Sequence[TransactionId]
) -> Mapping[TransactionId, Sequence[Transfer]]:
    """The links of these transactions of the user."""
    found: dict[TransactionId, list[Transfer]] = {number: [] for number in numbers}
    if numbers:
        for row in _of.rows(conn, user=principal.data_user, ids=given(conn, numbers)):
            told = _transfer(row)
            for side in (told.source, told.target):
                if side.transaction in found:
                    found[side.transaction].append(told)
    return found


def page(conn: Connection, principal: Principal, *, state: State, before: EpochMs, limit: int) -> list[Transfer]:
    """The user's transfers of a state that left before an instant, the newest first."""
    count = min(limit, PAGE_MAX)
    return [_transfer(row) for row in _page.rows(conn, user=principal.data_user, state=state, before=before, count=count)]


def _transfer(row: Sequence[object]) -> Transfer:
    source, source_key, account, target, target_key, other, state, evidence, confidence, at = row
    return Transfer(
        source=Side(cast("AccountId", account), cast("TransactionId", source), str(source_key)),
        target=Side(cast("AccountId", other), cast("TransactionId", target), str(target_key)),
        state=cast("State", state),
        evidence=cast("tuple[Evidence, ...]", tuple(str(evidence).split(" "))),
        confidence=cast("int", confidence),
        at=cast("EpochMs", at),
    )
