"""What happened is written with the fact, where somebody is to be told and nowhere else."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, outbox
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import BadCredentials
from omnifolio.model.happenings import WebhookFormat
from omnifolio.notify import endpoints
from omnifolio.store import codec
from omnifolio.store.engine import Store
from omnifolio.store.schema import deliveries, webhooks
from omnifolio.store.schema import outbox as events
from tests.ledger.builders import Book, at, claim, leg
from tests.sync.test_refresh import Work

ALL_ROWS = sa.select(events).order_by(events.c.id)


class Told(Work):
    """An account of which rounds are made, and what is told of them."""

    async def listen(self) -> None:
        """A webhook is added to the account's team."""
        who = Principal(team=self.book.principal.team, user=None, actor="test", scopes=frozenset({"admin"}))
        await self.store.write(endpoints.add, who, url="https://example.com/", form="omnifolio", types=(), now=at(0))

    async def told(self) -> list[str]:
        """The types of all events."""
        return [str(row.type) for row in await self.rows()]

    async def rows(self) -> Sequence[sa.Row[tuple[object, ...]]]:
        """All events."""
        return await self.store.read(lambda conn: conn.execute(ALL_ROWS).all())


@pytest.fixture
async def work(store: Store) -> Told:
    return Told(await Book.open(store), store)


async def test_without_a_webhook_nothing_is_written(work: Told) -> None:
    await work.round()
    await work.store.write(accounts.delete, work.book.principal, work.book.account, at(9))
    assert await work.told() == []


async def test_a_round_tells_what_it_changed_and_that_it_is_over(work: Told) -> None:
    await work.listen()
    work.venue.claims = (claim("a", leg("in 1 BTC")),)
    await work.round()
    assert await work.told() == ["transactions.updated", "balances.updated", "sync.completed"]
    await work.round()
    assert (await work.told())[3:] == ["balances.updated", "sync.completed"], "no transaction is new"
    work.venue.is_still = True
    await work.round()
    assert (await work.told())[5:] == ["sync.completed"]
    rows = await work.rows()
    assert [row.seq for row in rows] == sorted(row.seq for row in rows)
    assert {codec.from_json(row.data)["provider"] for row in rows} == {"demo"}
    assert {row.account_id for row in rows} == {work.book.account}


async def test_a_failed_round_tells_why_and_whether_somebody_must_act(work: Told) -> None:
    await work.listen()
    work.venue.failing = "trades/all"
    await work.round()
    assert (await work.told())[-1] == "sync.failed"
    assert codec.from_json((await work.rows())[-1].data)["error"] == "venue_unavailable"
    work.venue.failing = ""

    def refuse() -> None:
        raise BadCredentials

    work.venue.meanwhile = refuse
    await work.round()
    assert (await work.told())[-2:] == ["sync.failed", "connection.needs_action"]
    work.venue.meanwhile = lambda: None
    await work.round()
    assert (await work.told())[-2:] == ["connection.fixed", "sync.completed"]
    await work.round()
    assert "connection.fixed" not in (await work.told())[-2:]


async def test_accounts_that_come_and_go_are_told(work: Told) -> None:
    await work.listen()
    other = await work.book.beside("other")
    await work.store.write(accounts.delete, work.book.principal, other.account, at(9))
    rows = await work.rows()
    assert [(row.type, row.account_id) for row in rows] == [
        ("connection.created", other.account),
        ("connection.removed", other.account),
    ]


async def test_what_is_rolled_back_has_not_happened(work: Told) -> None:
    await work.listen()

    def op(conn: Connection) -> None:
        accounts.delete(conn, work.book.principal, work.book.account, at(9))
        raise BadCredentials

    with pytest.raises(BadCredentials):
        await work.store.write(op)
    assert await work.told() == []


async def test_a_webhook_that_is_off_is_told_nothing(work: Told) -> None:
    await work.listen()
    await work.store.write(lambda conn: conn.execute(sa.update(webhooks).values(is_active=0)))
    await work.round()
    assert await work.told() == []


async def test_each_webhook_gets_what_it_wants_of_one_event(work: Told) -> None:
    await work.listen()
    who = Principal(team=work.book.principal.team, user=None, actor="test", scopes=frozenset({"admin"}))
    wanted: tuple[tuple[WebhookFormat, tuple[str, ...]], ...] = (("vezgo", ()), ("omnifolio", ("connection.removed",)))
    for form, types in wanted:
        await work.store.write(endpoints.add, who, url="https://example.com/", form=form, types=types, now=at(0))
    await work.round()
    counted = (
        sa.select(deliveries.c.webhook_id, sa.func.count()).group_by(deliveries.c.webhook_id).order_by(deliveries.c.webhook_id)
    )
    counts = await work.store.read(lambda conn: [row[1] for row in conn.execute(counted)])
    assert counts == [len(await work.told()), 1], "Vezgo's form knows the end of a round only, and nothing was removed"


async def test_another_teams_webhook_gets_nothing(work: Told) -> None:
    other = await Book.open(work.store, name="u2")
    who = Principal(team=other.principal.team, user=None, actor="test", scopes=frozenset({"admin"}))
    await work.store.write(endpoints.add, who, url="https://example.com/", form="omnifolio", types=(), now=at(0))
    await work.round()
    assert await work.told() == []


async def test_an_erased_users_events_go_and_the_last_word_stays(work: Told) -> None:
    await work.listen()
    await work.round()
    await work.store.write(outbox.erase, work.book.principal, at(99))
    assert await work.told() == ["user.erased"]
