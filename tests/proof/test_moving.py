"""Moving from Vezgo: ids and history come over, and after reconnecting everything is as if it had been linked here at once."""

import random
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from omnifolio.app import link as linking
from omnifolio.app.administer import owner_of
from omnifolio.app.moving import Credentials, MovedUser, move_users
from omnifolio.app.rebuilding import rebuild_all
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import BadCredentials
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import users
from omnifolio_sandbox import credentials
from tests import vezgo
from tests.proof.simulation import Facts, Installation, Venues, counted, installed

KEY = Credentials(vezgo.CLIENT_ID, Secret(vezgo.SECRET))
LOGIN = "customer-42"
SIMULATED = (("kraken", "alice"), ("binance", "alice"), ("coinbase", "alice"), ("demo", "demo"))


class Stand(NamedTuple):
    """An installation before simulated venues, and a Vezgo beside it."""

    house: Installation
    vezgo: vezgo.Vezgo


@pytest.fixture
async def stand(database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues) -> AsyncIterator[Stand]:
    async with (
        vezgo.serving(lambda: venues.clock.world_ms) as (server, url),
        installed(database_url, tmp_path_factory.mktemp("keys"), venues, base_urls={"vezgo": url}) as house,
    ):
        yield Stand(house, server)


async def moved(house: Installation, *logins: str, key: Credentials = KEY, is_preview: bool = False) -> list[MovedUser]:
    """What moving these users says."""
    team = (await owner_of(house.runtime.context)).team.client_id
    found = move_users(house.runtime, key, logins or (LOGIN,), team=team, is_preview=is_preview)
    return [user async for user in found]


async def as_user(house: Installation, login: str = LOGIN) -> Principal:
    """The principal of a user that was moved."""
    context = house.runtime.context
    acting = Principal(team=house.principal.team, user=None, actor="test", scopes=frozenset({"link"}))
    found = await context.store.write(
        users.get_or_create, acting, login, pepper=context.edge.pepper, now=context.clock.now()
    )
    return Principal(team=acting.team, user=found.id, actor="test", scopes=frozenset({"read", "link"}))


def secrets_of(venue: str, user: str) -> dict[str, str]:
    """The credentials of a simulated user."""
    return {{"apiKey": "key"}.get(name, name): value for name, value in credentials.of_user(user, "read")[venue].items()}


async def afresh(house: Installation, venue: str, user: str) -> Facts:
    """What linking the simulated user gives the owner."""
    number = await house.link(venue, user)
    await house.sync(number)
    return await house.facts(number)


async def reconnected(house: Installation, wire: str, venue: str, user: str) -> AccountId:
    """The account of that id after its user has connected it again and it was read."""
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    await linking.relink(house.runtime.context, house.principal, number, secrets_of(venue, user))
    await house.work()
    return number


@pytest.mark.parametrize(("venue", "user"), SIMULATED)
@pytest.mark.parametrize("named", [1.0, 0.5, 0.0])
async def test_after_reconnecting_all_is_as_if_it_had_been_linked_here(
    stand: Stand, venues: Venues, venue: str, user: str, named: float
) -> None:
    house = stand.house
    expected = await afresh(house, venue, user)
    rng = random.Random(f"{venue}/{named}")
    lines = venues.ask_truth(user, venue)
    told, rows = vezgo.told_by_vezgo(venue, lines, rng, named=named)
    wire = stand.vezgo.add(LOGIN, told, rows)
    [done] = await moved(house)
    assert done.is_whole, done
    assert [(a.id, a.outcome, a.transactions, a.new) for a in done.accounts] == [(wire, "imported", len(rows), len(rows))]
    house.principal = await as_user(house)
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    ids_before = {row.id for row in await house.transactions(number)}
    assert len(ids_before) == len(rows)
    assert await reconnected(house, wire, venue, user) == number
    assert await house.facts(number) == expected
    assert await house.sums_agree(number)
    assert (await house.account(number)).status == "ok"
    assert house.runtime.context.ids.wire("account", number) == wire
    assert len(ids_before & {row.id for row in await house.transactions(number)}) >= len(rows) * 0.9
    again = await moved(house)
    assert [a.new for a in again[0].accounts] == [0]
    assert await house.facts(number) == expected
    await rebuild_all(house.runtime.context, house.principal, number)
    assert await house.facts(number) == expected
