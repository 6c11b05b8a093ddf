"""ccxt's unified methods as a reader: raw evidence, the same facts from it again, refusals and missing words as named gaps."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from tests.stage import ScriptedWire, StageTime, answer

from omnifolio.catalog import exchanges
from omnifolio.model.errors import EgressRefused, InvalidField, VenueBadResponse
from omnifolio.model.facts import Batch, Cursor
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.exchanges.ccxt_bridge import Bridge
from omnifolio.venues.exchanges.quirks.unified_rows import Names, fees, held, movement, pair, trade
from omnifolio.venues.exchanges.reader import ExchangeReader, Venue, venue_of
from omnifolio.venues.exchanges.unified import scope_of

SCOPE = scope_of("BTC", "USDT", "BTCUSDT")
FILL = {
    "symbol": "BTCUSDT",
    "id": 7,
    "orderId": 1,
    "price": "20000",
    "qty": "0.5",
    "quoteQty": "10000",
    "commission": "0.1",
    "commissionAsset": "USDT",
    "time": 1678699593307,
    "isBuyer": True,
    "isMaker": False,
    "isBestMatch": False,
}
BALANCE = {"balances": [{"asset": "BTC", "free": "1.5", "locked": "0.5"}, {"asset": "PHP", "free": "0", "locked": "0"}]}
MARKET = {
    "status": "TRADING",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "orderTypes": ["LIMIT"],
    "filters": [],
    "symbol": "BTCUSDT",
    "baseAsset": "BTC",
}


def access(venue: str, time: StageTime, wire: ScriptedWire, known: Known | None = None) -> Access:
    secrets = {field.name: Secret("k" * 32) for field in exchanges.load(venue).fields}
    egress = Egress(clock=time, sleep=time.sleep, chance=lambda: 0.0, wire=wire)
    return Access(venue=venue, egress=egress, clock=time, key_label="k", secrets=secrets, known=known)


async def read(venue: str, stream: str, bodies: Sequence[object], known: Known | None = None) -> tuple[list[Batch], ScriptedWire]:
    time = StageTime()
    wire = ScriptedWire(time, [answer(body=json.dumps(body).encode()) for body in bodies])
    found: list[Batch] = []

    async def run() -> None:
        async for batch in ExchangeReader().read(access(venue, time, wire, known), Cursor(stream)):
            found.append(batch)

    (error,) = await time.play(run())
    if isinstance(error, Exception):
        raise error
    return found, wire


async def test_balances_are_free_and_used_together_and_read_again_from_the_evidence() -> None:
    (batch,), wire = await read("coinsph", "balances/all", [BALANCE])
    assert [(s.product, {b.token: str(b.amount) for b in s.balances}) for s in batch.snapshots] == [
        ("spot", {"venue:coinsph/BTC": "2"}),
        ("debt", {}),
    ]
    assert [item.request for item in batch.evidence] == ["GET /openapi/v1/account"]
    assert json.loads(batch.evidence[0].body) == BALANCE
    again = ExchangeReader().decode("coinsph", "balances/all", batch.evidence)
    assert again.snapshots == batch.snapshots
    assert len(wire.sent) == 1


async def test_fills_are_asked_by_market_and_their_fee_is_a_leg() -> None:
    found, wire = await read("coinsph", f"trades/{SCOPE}", [[FILL]])
    (claim,) = found[0].claims
    assert [(leg.key, leg.token, str(leg.amount)) for leg in claim.legs] == [
        ("base", "venue:coinsph/BTC", "0.5"),
        ("quote", "venue:coinsph/USDT", "-10000"),
        ("fee", "venue:coinsph/USDT", "-0.1"),
    ]
    assert wire.sent[0][1].url.query["symbol"] == "BTCUSDT"
    assert found[0].evidence[0].params["symbol"] == SCOPE
    assert ExchangeReader().decode("coinsph", f"trades/{SCOPE}", found[0].evidence).claims == found[0].claims


async def test_a_fill_of_another_market_is_a_gap_and_the_rest_survives() -> None:
    found, _ = await read("coinsph", f"trades/{SCOPE}", [[{**FILL, "symbol": "ETHUSDT", "id": 8}, FILL]])
    assert [claim.name for claim in found[0].claims] == ["7"]
    assert "ETHUSDT is not the market that was asked for" in found[0].gaps[0].text


async def test_markets_of_held_tokens_are_found_and_read() -> None:
    known = Known(tokens=frozenset({venue_of("coinsph").codes.token("BTC")}))
    other = {**MARKET, "symbol": "DOGEUSDT", "baseAsset": "DOGE"}
    found, wire = await read("coinsph", "markets/held", [{"symbols": [MARKET, other]}, [FILL]], known)
    assert [batch.cursor.stream for batch in found] == [f"trades/{SCOPE}", "markets/held"]
    assert json.loads(found[-1].cursor.token) == {"tokens": ["BTC"]}
    assert len(wire.sent) == 2
    again, wire = await read("coinsph", "markets/swept", [{"symbols": [other]}, []], known)
    assert again[-1].done
    assert "swept" in json.loads(again[-1].cursor.token)


@pytest.mark.parametrize("stream", ["balances/all", "deposits/all"])
async def test_a_read_off_the_list_is_refused_and_named(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = exchanges.load("coinsph")
    allowed = tuple(item for item in row.allowed if "account" not in item[2] and "deposit" not in item[2])
    closed = Venue(msgspec.structs.replace(row, allowed=allowed))
    monkeypatch.setattr("omnifolio.venues.exchanges.reader.venue_of", lambda name: closed)
    if stream.startswith("balances"):
        with pytest.raises(EgressRefused):
            await read("coinsph", stream, [BALANCE])
        return
    (batch,), wire = await read("coinsph", stream, [[]])
    assert [gap.code for gap in batch.gaps] == ["egress_refused"]
    assert "fetch_deposits cannot be read" in batch.gaps[0].text
    assert wire.sent == []


async def test_a_refusal_that_ccxt_swallows_fails_the_call() -> None:
    time = StageTime()
    wire = ScriptedWire(time, [answer(body=json.dumps(BALANCE).encode())])
    bridge = Bridge(access("coinsph", time, wire), exchanges.load("coinsph"))
    real = bridge._build

    def build() -> Any:
        exchange = real()
        fetch_balance = exchange.fetch_balance

        async def quietly(params: Any) -> Any:
            with suppress(EgressRefused):
                await exchange.fetch2("openapi/v1/order", "private", "POST", {})
            return await fetch_balance(params)

        exchange.fetch_balance = quietly
        return exchange

    bridge._build = build  # type: ignore[method-assign]  # what ccxt does in places
    (error,) = await time.play(bridge.answers("fetch_balance", ({},), []))
    assert isinstance(error, EgressRefused)
    (error,) = await time.play(bridge.answers("create_order", (), []))
    assert isinstance(error, EgressRefused)
    await bridge.close()


async def test_an_error_answer_is_never_an_empty_account() -> None:
    with pytest.raises(VenueBadResponse):
        await read("coinsph", "balances/all", [{"code": -1000, "msg": "unknown"}])


@pytest.mark.parametrize(
    "body", [{"success": True, "btc": "1.5"}, {"balances": None}, {"other": [{"asset": "BTC", "free": "1"}]}]
)
async def test_an_answer_that_is_not_understood_is_no_empty_account(body: object) -> None:
    with pytest.raises(VenueBadResponse, match="not empty"):
        await read("coinsph", "balances/all", [body])


async def test_an_empty_account_is_empty() -> None:
    (batch,), _ = await read("coinsph", "balances/all", [{"accountType": "SPOT", "balances": []}])
    assert [(snapshot.product, snapshot.balances) for snapshot in batch.snapshots] == [("spot", ()), ("debt", ())]


def test_what_is_missing_is_said_and_not_guessed() -> None:
    context = venue_of("blockchaincom").context("trades/all")
    assert pair(context, {"symbol": "AAVE/USDT"}) == ("AAVE", "USDT")
    assert pair(context, {"symbol": "AAVEKRW"}) == ("AAVE", "KRW")
    for symbol in ("BTC/USDT:USDT", "BTC/PERP", "BTCBUSD", "NOTHING", ""):
        with pytest.raises(InvalidField):
            pair(context, {"symbol": symbol})
    assert fees(context, {"fee": {"cost": "0.1", "currency": None}}) == ([], True)
    assert fees(context, {"fee": None, "fees": []}) == ([], False)
    assert [token for token, _ in fees(context, {"fee": {"cost": "1", "currency": "btc"}})[0]] == [context.codes.token("BTC")]
    row = {"symbol": "BTC/USDT", "side": "buy", "amount": "1", "cost": None, "timestamp": 1_700_000_000_000}
    with pytest.raises(InvalidField):
        trade(context, row, "1")


def test_an_unknown_status_stays_as_it_was_said_and_pending() -> None:
    context = venue_of("blockchaincom").context("deposits/all")
    row = {"currency": "BTC", "amount": "1", "timestamp": 1_700_000_000_000, "status": "safe", "type": "deposit"}
    claim = movement(context, row, "1")
    assert (claim.kind, claim.status, claim.label) == ("other", "pending", "safe")
    assert movement(context, {**row, "status": "failed"}, "1").legs == ()
    with pytest.raises(InvalidField):
        movement(context, {**row, "type": "withdrawal"}, "1")


def test_rows_without_an_id_have_the_same_names_each_time() -> None:
    rows: list[dict[str, Any]] = [
        {"info": {"a": 1}},
        {"info": {"a": 1}},
        {"id": "1700000000000-buy-1-2", "info": {"a": 2}},
        {"id": "x"},
    ]
    first, second = Names(), Names()
    names = [first.of(row) for row in rows]
    assert names == [second.of(row) for row in rows]
    assert len(set(names)) == len(rows)
    assert names[-1] == "x"
    assert not names[2].startswith("1700000000000-buy")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"free": "1", "used": "2", "total": None}, ("3", "0")),
        ({"total": "5", "free": None, "used": None, "debt": "2"}, ("5", "2")),
        ({"total": "-2"}, ("0", "2")),
    ],
)
def test_what_is_held_and_owed(entry: dict[str, Any], told: tuple[str, str]) -> None:
    assert tuple(str(value) for value in held(entry)) == told


def test_a_part_alone_is_no_balance() -> None:
    with pytest.raises(InvalidField):
        held({"free": "1", "used": None, "total": None})
