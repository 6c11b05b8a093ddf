"""What Vezgo's rows mean here: parts, fees, movements beside the parts, wallets, tokens, and what is left out by name."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.vezgo import account, part, transaction

from omnifolio.app.moving_homes import home_of
from omnifolio.app.offer import Offers
from omnifolio.app.offers import exchange_offers
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Batch, Evidence
from omnifolio.venues.registry import reader_for
from omnifolio.venues.vezgo.plan import PLAN, Plan, wallet_key
from omnifolio.venues.vezgo.reader import ACCOUNT, TRANSACTIONS, rules_of, stated_prices

AT = 1_700_000_000_000
ME, SHOP = "0x" + "a" * 40, "0x" + "b" * 40
USDC = "0x" + "C" * 40
OFFERS = Offers(exchange_offers())
ETHEREUM = Plan(wallets={"ethereum:1": f"eip155:1:{ME}"}, chain="eip155:1", coin="eip155:1/slip44:60", coin_ticker="ETH")


def page(stream: str, body: object, plan: Plan = Plan()) -> Evidence:  # noqa: B008 - immutable
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Evidence(stream=stream, request="GET /v1/x", params={PLAN: plan.text()}, received_at=EpochMs(AT + 5), body=raw)


def decoded(venue: str, body: object, plan: Plan = Plan(), *, stream: str = TRANSACTIONS) -> Batch:  # noqa: B008
    return reader_for(venue, stream).decode(venue, stream, (page(stream, body, plan),))


def legs(batch: Batch) -> list[tuple[str, str, str, str]]:
    return [(leg.wallet, leg.token, str(leg.amount), leg.role) for claim in batch.claims for leg in claim.legs]


def test_parts_and_fees_become_signed_legs_in_our_wallet() -> None:
    fee = {"ticker": "USD", "provider_ticker": "ZUSD", "amount": "1.5"}
    parts = [part("sent", "100", "USD", provider_ticker="ZUSD"), part("received", "0.002", "BTC")]
    row = transaction(
        "t1", AT, "trade", parts, wallet="kraken:cash:usd", fees=[fee, {**fee, "amount": ""}], misc={"origin_id": "TX"}
    )
    found = decoded("kraken", [row])
    assert legs(found) == [
        ("spot", "venue:kraken/ZUSD", "-100", "principal"),
        ("spot", "venue:kraken/XXBT", "0.002", "principal"),
        ("spot", "venue:kraken/ZUSD", "-1.5", "fee"),
    ]
    [claim] = found.claims
    assert (claim.kind, claim.name, claim.refs, claim.at) == ("trade", "TX", ("vezgo:t1",), AT)
    assert {fact.id: fact.kind for fact in found.tokens} == {"venue:kraken/ZUSD": "fiat", "venue:kraken/XXBT": "crypto"}


@pytest.mark.parametrize(
    ("kind", "subtype", "wanted"),
    [
        ("reward", "staking_reward", "staking_reward"), ("reward", None, "reward"), ("bonus", "cashback", "cashback"),
        ("withdrawal", "liquidation", "liquidation"), ("other", "fees", "fee"), ("other", "spam", "other"),
        ("new", "word", "other"),
    ],
)  # fmt: skip
def test_each_type_has_its_word(kind: str, subtype: str | None, wanted: str) -> None:
    row = transaction("t", AT, kind, [part("received", "1", "BTC")], transaction_subtype=subtype)
    assert decoded("kraken", [row]).claims[0].kind == wanted


def test_what_vezgo_tells_beside_the_parts_of_an_evm_transaction_is_a_leg_too() -> None:
    misc = {
        "tokenTransfers": [
            {
                "symbol": "USDC",
                "contractAddress": USDC,
                "amount": Decimal("-12.345678901234567891"),
                "from": ME.upper(),
                "to": SHOP,
            },
            {"symbol": "USDC", "contractAddress": USDC, "amount": 7, "from": SHOP, "to": ME},
        ],
        "internalTransfers": [{"symbol": "ETH", "amount": "0.25", "from": SHOP, "to": ME}],
        "nftTransfers": [{"tokenId": "1"}],
    }
    row = transaction(
        "t1", AT, "withdrawal", [part("sent", "0.1", "ETH", to_address=SHOP)], wallet="ethereum:1", misc=misc,
        transaction_hash="0xAB", fees=[{"ticker": "ETH", "amount": "0.001"}],
    )  # fmt: skip
    found = decoded("ethereum", _exact([row]), ETHEREUM)
    mine, usdc = f"eip155:1:{ME}", f"eip155:1/erc20:{USDC.lower()}"
    assert legs(found) == [
        (mine, "eip155:1/slip44:60", "-0.1", "principal"),
        (mine, "eip155:1/slip44:60", "-0.001", "fee"),
        (mine, usdc, "-12.345678901234567891", "principal"),
        (mine, usdc, "7", "principal"),
        (mine, "eip155:1/slip44:60", "0.25", "principal"),
    ]
    [claim] = found.claims
    assert (claim.event, claim.refs) == ("eip155:1:0xab", ("vezgo:t1", "tx:eip155:1:0xab"))
    assert [leg.counterparty for leg in claim.legs] == [SHOP, None, SHOP, SHOP, SHOP]
    assert [gap.code for gap in found.gaps] == ["collectibles_left_out"]


def test_a_movement_that_the_parts_tell_already_is_not_told_twice() -> None:
    move = {"symbol": "USDC", "contractAddress": USDC, "amount": "-5"}
    row = transaction("t", AT, "withdrawal", [part("sent", "5", "USDC", ticker_address=USDC)], misc={"tokenTransfers": [move]})
    assert len(legs(decoded("ethereum", [row], ETHEREUM))) == 1


def test_a_row_that_cannot_be_read_costs_itself_and_is_named() -> None:
    good = transaction("good", AT, "deposit", [part("received", "1", "BTC")])
    rows = [
        good,
        transaction("odd", AT, "deposit", [part("sideways", "1", "BTC")]),
        transaction("none", AT, "deposit", [part("received", "NaN", "BTC")]),
        transaction("moves", AT, "deposit", [], misc={"tokenTransfers": [{"symbol": "X", "value": "1"}]}),
        {"id": "bare"},
    ]
    found = decoded("kraken", rows)
    assert [claim.ref for claim in found.claims] == ["good"]
    assert [gap.text.partition(" was left out")[0] for gap in found.gaps] == [
        f"transaction {name}" for name in ("odd", "none", "moves", "bare")
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": 1}', b"[1]", b'[{"no": "id"}]', b'[{"id": "a", "amount": NaN}]'])
def test_an_answer_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(VenueBadResponse):
        decoded("kraken", body)


def test_balances_of_wallets_that_are_one_with_us_add_up_and_staked_ones_stand_apart() -> None:
    held: dict[str, Any] = {
        "ticker": "ATOM",
        "provider_ticker": "ATOM",
        "asset_type": "crypto",
        "updated_at": AT,
        "wallet": "k:cash",
    }
    body = account(
        "a" * 24,
        "kraken",
        wallets=[{"id": "k:cash", "name": "Cash"}, {"id": "k:trading", "name": "Trading"}],
        balances=[
            {**held, "amount": "1.5"},
            {**held, "amount": "2", "wallet": "k:trading", "updated_at": AT + 1_000_000},
            {**held, "amount": "3", "provider_ticker": "ATOM.staked", "asset_type": "staked"},
            {**held, "amount": "1", "asset_type": "nft"},
            {**held, "amount": "10", "ticker": "USD", "provider_ticker": "", "asset_type": "cash"},
        ],
    )
    found = decoded("kraken", body, Plan(wallets={"k:cash": "spot", "k:trading": "spot"}), stream=ACCOUNT)
    assert [(s.wallet, s.product, s.at, [(b.token, str(b.amount)) for b in s.balances]) for s in found.snapshots] == [
        ("spot", "spot", AT + 5, [("venue:kraken/ATOM", "3.5"), ("venue:kraken/ZUSD", "10")]),
        ("spot", "staked", AT, [("venue:kraken/ATOM", "3")]),
    ]
    assert [wallet.name for wallet in found.wallets] == ["Cash"]
    assert len(found.gaps) == 1


def test_stated_values_give_prices_where_they_say_enough() -> None:
    parts = [
        part("sent", "200", "USD", provider_ticker="ZUSD", fiat_value="200.00"),
        part("received", "0.004", "BTC", fiat_value="200.00"),
        part("received", "5", "DOGE", fiat_value="0.40"),
        part("received", "5", "ETH", fiat_ticker="EUR", fiat_value="9.00"),
        part("received", "5", "LTC", fiat_value=""),
    ]
    found = stated_prices("kraken", page(TRANSACTIONS, [transaction("t", AT + 61_000, "trade", parts)]))
    assert [(q.token, q.bucket, canonical(q.price), q.source) for q in found] == [
        ("venue:kraken/XXBT", AT - AT % 60_000 + 60_000, "50000", "vezgo")
    ]


@pytest.mark.parametrize(
    ("venue", "name", "key"),
    [
        ("binance", "binance:cash:usd", "spot"), ("binance", "binance:earn:usd", "earn"),
        ("binance", "binance:futures:usd", "usdm"), ("binance", "binance:options:usd", "binance:options:usd"),
        ("somewhere", "somewhere:cash:usd", "spot"), ("kraken", "", "spot"),
    ],
)  # fmt: skip
def test_wallets_have_our_keys_where_their_words_say_which(venue: str, name: str, key: str) -> None:
    assert wallet_key(venue, name) == key


def test_only_reads_and_the_token_may_be_asked_for() -> None:
    asked = {(rule.method, rule.url.removeprefix("https://x/v1")) for rule in rules_of("https://x/v1", is_configured=False)}
    assert asked == {
        ("POST", "/auth/token"),
        ("GET", "/accounts"),
        ("GET", "/accounts/{id}"),
        ("GET", "/accounts/{id}/transactions"),
    }


def _exact(rows: list[Any]) -> bytes:
    """JSON in which a Decimal stands with all its digits, as a number."""
    marked = json.dumps(rows, default=lambda value: f"@{value}@")
    return marked.replace('"@', "").replace('@"', "").encode()


WORDS = ("id", "amount", "direction", "ticker", "initiated_at", "parts", "fees", "misc", "tokenTransfers", "wallet", "balances")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("aZ1\0\n\u00e9 ", max_size=8)
    | st.sampled_from(("sent", "received", "1", "BTC")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(WORDS), VALUES), st.sampled_from((TRANSACTIONS, ACCOUNT)))
def test_nothing_that_vezgo_could_say_breaks_the_reading(told: dict[str, Any], stream: str) -> None:
    """Rows of any form cost themselves; texts that are kept can be shown and stored."""
    body = [{**transaction("t", AT, "deposit", [part("received", "1", "BTC")]), **told}] if stream == TRANSACTIONS else told
    with contextlib.suppress(VenueBadResponse):
        found = decoded("kraken", body, stream=stream)
        for claim in found.claims:
            assert all(text.isprintable() for text in (*claim.refs, claim.name, claim.label))
            assert 0 <= claim.at <= 2**53
    with contextlib.suppress(InvalidField):
        home_of(OFFERS, {**told, "wallets": told.get("parts"), "provider": told.get("misc")})
