"""Every venue's private stream against a simulated socket that checks logins, subscriptions and pings as documented."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.proof.simulation import Venues, simulated

from omnifolio.catalog import exchanges
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import BadCredentials, MissingPermission, OmnifolioError, VenueClockSkew, VenueUnavailable
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.exchanges import listening as subject
from omnifolio.venues.exchanges.listening import Event, Listening, chosen, listening
from omnifolio.venues.exchanges.streams.contract import Want
from omnifolio.venues.exchanges.streams.registry import DIALECTS
from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import machine_ms

USER = "listener-060"
VENUES = ("binance", "bybit", "kraken", "kucoin", "okx")
PATIENCE_S = 30


class Slow(SystemClock):
    """A machine whose clock is a minute behind."""

    def now(self) -> Any:
        return super().now() - 60_000


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Venues in the machine's time; no message but logins, subscriptions and pings may have come."""
    with simulated(now=machine_ms() // 60_000 * 60_000, wire="real") as found:
        yield found
        assert found.violations() == []


def keys_of(venues: Venues, venue: str) -> dict[str, str]:
    """The user's credentials at a venue."""
    if venue in ("kraken", "binance"):
        fields = credentials.of_user(USER, "read")[venue]
        return {"key": fields["apiKey"], "secret": fields["secret"]}
    found: dict[str, str] = venues.ask("POST", "/keys", {"venue": venue, "user": USER})
    return found


@asynccontextmanager
async def access_to(venues: Venues, venue: str, fields: Mapping[str, str], **more: Any) -> AsyncIterator[Access]:
    """An access at the simulated venue."""
    clock = more.pop("clock", SystemClock())
    egress = Egress(clock=clock, **more)
    yield Access(
        venue=venue,
        egress=egress,
        clock=clock,
        key_label=f"{venue}:{USER}",
        secrets={name: Secret(value) for name, value in fields.items()},
        base_url=f"{venues.url}/{venue}",
    )
    await egress.close()


def buy(venues: Venues, venue: str, amount: str = "0.0021") -> None:
    """A purchase, told to whoever listens."""
    quote = "USD" if venue == "kraken" else "USDT"
    asked = {"user": USER, "venue": venue, "base": "ETH", "quote": quote, "amount": amount}
    assert venues.ask("POST", "/purchases", asked)["told"] == 1


async def heard(stream: Listening, count: int) -> list[Event]:
    """The next events."""
    found = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in stream:
            found.append(event)
            if len(found) == count:
                return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("venue", VENUES)
async def test_a_purchase_is_heard_and_names_balances_and_trades(venues: Venues, venue: str) -> None:
    async with access_to(venues, venue, keys_of(venues, venue)) as access, listening(access) as stream:
        buy(venues, venue)
        events = await heard(stream, 2)
        assert {want.kind for event in events for want in event.wants} >= {"balances", "trades"}
        (line,) = venues.ask("GET", "/sockets")["sockets"]
        assert (line["venue"], line["user"]) == (venue, USER)


@pytest.mark.parametrize("venue", VENUES)
async def test_events_that_come_twice_count_once_and_unknown_ones_are_nothing(venues: Venues, venue: str) -> None:
    async with access_to(venues, venue, keys_of(venues, venue)) as access, listening(access) as stream:
        buy(venues, venue)
        first = await heard(stream, 2)
        for text in (
            '{"channel":"news","type":"update","data":[{"a":1}]}',
            '{"topic":"news","data":[{}]}',
            "[]",
            "word",
            "{}",
            "7",
        ):
            venues.ask("POST", "/sockets", {"do": "say", "text": text})
        venues.ask("POST", "/sockets", {"do": "repeat"})
        buy(venues, venue, "0.0034")
        second = await heard(stream, 2)
        assert len(first) == len(second) == 2
        assert stream.doubled == 2


@pytest.mark.parametrize("venue", VENUES)
async def test_a_key_that_the_venue_refuses_is_told_as_such(venues: Venues, venue: str) -> None:
    fields = keys_of(venues, venue)
    wrong = {**fields, "secret": fields["secret"][::-1] if venue != "kraken" else credentials.kraken("other", "read")[1]}
    async with access_to(venues, venue, wrong) as access:
        with pytest.raises(BadCredentials):
            async with listening(access):
                pass
    assert venues.ask("GET", "/sockets")["sockets"] == []


@pytest.mark.parametrize("venue", ["okx", "bybit", "binance"])
async def test_a_clock_that_is_wrong_is_no_wrong_key(venues: Venues, venue: str) -> None:
    async with access_to(venues, venue, keys_of(venues, venue), clock=Slow()) as access:
        with pytest.raises(VenueClockSkew):
            async with listening(access):
                pass


async def test_a_key_without_the_right_to_listen_is_told_as_such(venues: Venues) -> None:
    key, secret = credentials.kraken(USER, "no-history")
    async with access_to(venues, "kraken", {"key": key, "secret": secret}) as access:
        with pytest.raises(MissingPermission):
            async with listening(access):
                pass


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("deed", ["drop", "close"])
async def test_a_stream_that_ends_says_so(venues: Venues, venue: str, deed: str) -> None:
    async with access_to(venues, venue, keys_of(venues, venue)) as access, listening(access) as stream:
        venues.ask("POST", "/sockets", {"do": deed})
        with pytest.raises(VenueUnavailable):
            await heard(stream, 1)


ENDS = {
    "binance": '{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1728973001334}}',
    "okx": '{"event":"notice","code":"64008","msg":"The connection will soon be closed","connId":"a4d3ae55"}',
    "kucoin": '{"id":"1","type":"error","code":401,"data":"token is expired"}',
}


@pytest.mark.parametrize("venue", ENDS)
async def test_a_session_that_expires_ends_the_stream(venues: Venues, venue: str) -> None:
    async with access_to(venues, venue, keys_of(venues, venue)) as access, listening(access) as stream:
        venues.ask("POST", "/sockets", {"do": "say", "text": ENDS[venue]})
        with pytest.raises(OmnifolioError) as caught:
            await heard(stream, 1)
        assert caught.value.retry == "later"


@pytest.mark.parametrize("venue", ["kraken", "okx", "bybit", "kucoin"])
async def test_pings_are_sent_as_the_row_says(venues: Venues, venue: str) -> None:
    pauses: list[float] = []

    async def hurry(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0.01 if len(pauses) < 4 else 3600)

    async with access_to(venues, venue, keys_of(venues, venue), sleep=hurry) as access, listening(access):
        async with asyncio.timeout(PATIENCE_S):
            while venues.ask("GET", "/sockets")["sockets"][0]["pings"] < 3:
                await asyncio.sleep(0.02)
    live = exchanges.load(venue).live
    assert live is not None
    assert set(pauses) == {live.ping_ms / 1000}


async def test_half_a_message_is_a_fault_of_the_venue(venues: Venues) -> None:
    async with access_to(venues, "kraken", keys_of(venues, "kraken")) as access, listening(access) as stream:
        venues.ask("POST", "/sockets", {"do": "say", "text": '{"channel":"executions","type":"upd'})
        with pytest.raises(OmnifolioError, match="cut off"):
            await heard(stream, 1)


async def test_a_stream_that_is_never_confirmed_is_given_up(venues: Venues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "CONFIRM_S", 0.1)
    deaf = msgspec.structs.replace(DIALECTS["kraken"], confirmations=9)
    monkeypatch.setattr(subject, "DIALECTS", {"kraken": deaf})
    async with access_to(venues, "kraken", keys_of(venues, "kraken")) as access:
        with pytest.raises(VenueUnavailable, match="not confirmed"):
            async with listening(access):
                pass


async def test_an_order_cannot_be_sent_over_an_open_stream(venues: Venues) -> None:
    """The door refuses it, the count shows it, and the simulated venue has not heard of it."""
    refused: list[tuple[str, ...]] = []
    order = {"method": "add_order", "params": {"token": "t", "side": "sell", "symbol": "BTC/USD"}, "req_id": 1}
    async with (
        access_to(venues, "kraken", keys_of(venues, "kraken"), on_refused=lambda *what: refused.append(what)) as access,
        listening(access) as stream,
    ):
        for message in (order, json.dumps(order)):
            with pytest.raises(OmnifolioError, match="no list"):
                await stream._socket.send(message)
    assert [item[0] for item in refused] == ["kraken", "kraken"]


def test_wants_choose_streams_by_kind_and_by_the_venues_own_spelling_of_the_scope() -> None:
    clock = SystemClock()
    access = Access(venue="binance", egress=Egress(clock=clock), clock=clock, key_label="k")
    access.known = Known(cursors={"trades/ETH-BTC": "1", "trades/BTC-USDT": "1", "products/all": ""})

    def names(*wants: Want) -> set[str]:
        return {stream.name for stream in chosen(access, wants)}

    assert names(Want("balances", "all"), Want("trades", "ETHBTC")) == {"balances/all", "trades/ETH-BTC"}
    assert names(Want("trades", "SOLUSDT"), Want("symbols", "held")) == {"symbols/held"}
    assert names(Want("trades")) == {"trades/ETH-BTC", "trades/BTC-USDT"}
    assert names(Want("deposits")) == {"deposits/all"}
