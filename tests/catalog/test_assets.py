"""The reviewed assets: every row is whole, no token belongs to two at once, and a ticker alone makes nobody a member."""

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from omnifolio.catalog import assets as catalog
from omnifolio.catalog import exchanges
from omnifolio.catalog.assets import CommonCodes, Dated
from omnifolio.model.clock import EpochMs, start_of_day
from omnifolio.model.tokens import TokenId, venue_token

DATA = Path(catalog.__file__).parent / "data"
TODAY = start_of_day(date(2026, 1, 1))


def test_every_member_belongs_to_one_asset_at_a_time() -> None:
    for token, members in catalog.load().members().items():
        days = {dated.since or date.min for dated, _ in members}
        days |= {(dated.until - timedelta(days=1)) if dated.until else date.max for dated, _ in members}
        for day in days:
            assert sum(dated.holds(day) for dated, _ in members) <= 1, f"{token} belongs to two assets on {day}"


def test_rows_are_whole_and_their_ids_differ() -> None:
    every = catalog.load().all
    assert len(every) >= 150
    assert len({asset.id for asset in every}) == len(every)
    for asset in every:
        assert asset.ticker == asset.ticker.strip().upper(), asset.id
        assert re.fullmatch(r"[a-z0-9-]+", asset.coingecko) or (asset.represents and not asset.coingecko), asset.id
        assert asset.decimals is not None
        assert 0 <= asset.decimals <= 30, asset.id
    ids = [asset.coingecko for asset in every if asset.coingecko]
    assert len(set(ids)) == len(ids)


def test_a_form_stands_for_an_asset_that_there_is_and_that_stands_for_itself_in_the_end() -> None:
    every = {asset.id: asset for asset in catalog.load().all}
    for asset in every.values():
        seen, one = {asset.id}, asset
        while one.represents:
            one = every[one.represents]
            assert one.id not in seen, asset.id
            seen.add(one.id)


def of(token: str) -> catalog.Asset | None:
    return catalog.load().of(TokenId(token), TODAY)


def test_a_dollar_coin_is_one_asset_on_every_chain_where_its_issuer_makes_it() -> None:
    chains = {
        token.partition("/")[0]: members[0][1].id
        for token, members in catalog.load().members().items()
        if members[0][1].id == "usd-coin" and not token.startswith("venue:")
    }
    named = ("eip155:1", "eip155:10", "eip155:137", "eip155:8453", "eip155:42161", "eip155:43114", "eip155:59144")
    assert {*named, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"} <= chains.keys()


@pytest.mark.parametrize(
    ("token", "asset", "represents"),
    [
        ("eip155:137/erc20:0x2791bca1f2de4661ed88a30c99a7a9449aa84174", "bridged-usdc-polygon", "usd-coin"),
        ("eip155:8453/erc20:0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca", "bridged-usdc-base", "usd-coin"),
        ("eip155:8453/erc20:0xeb466342c4d449bc9f53a865d5cb90586f405215", "axelar-usdc", "usd-coin"),
        ("eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "wrapped-bitcoin", "bitcoin"),
        ("eip155:43114/erc20:0x152b9d0fdc40c096757f570a51e494bd4b943e50", "bitcoin-avalanche", "bitcoin"),
        ("eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955", "bridged-tether-bnb", "tether"),
        ("eip155:42161/erc20:0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9", "usdt0", "tether"),
    ],
)
def test_a_bridged_form_is_an_asset_of_its_own(token: str, asset: str, represents: str) -> None:
    found = of(token)
    assert found is not None
    assert (found.id, found.represents) == (asset, represents)


def test_common_codes_are_those_of_the_exchanges_own_rows() -> None:
    """A row that calls another code by the asset's ticker, or that code otherwise, contradicts the list."""
    common = msgspec.convert(tomllib.loads((DATA / "common_codes.toml").read_text(encoding="utf-8")), CommonCodes)
    every = {asset.id: asset for asset in catalog.load().all}
    assert set(common.assets) <= every.keys()
    assert set(common.exchanges) <= set(exchanges.ids())
    for exchange in common.exchanges:
        tickers = exchanges.load(exchange).reading.tickers
        for name in common.assets:
            code = common.codes.get(exchange, {}).get(name, every[name].ticker)
            assert not code or tickers.get(code, code) == every[name].ticker, (exchange, name)
            assert not code or code == every[name].ticker or tickers.get(code) == every[name].ticker, (exchange, name)


def test_contracts_stand_in_lower_case_and_are_whole() -> None:
    for token in catalog.load().members():
        if "/erc20:" in token:
            assert re.fullmatch(r"eip155:\d+/erc20:0x[0-9a-f]{40}", token), token


@pytest.mark.parametrize(
    ("token", "asset"),
    [
        ("venue:kraken/XXBT", "bitcoin"),
        ("venue:binance/BTC", "bitcoin"),
        ("venue:coinbase/CGLD", "celo"),
        ("venue:okx/BTC", "bitcoin"),
        ("venue:bitmex/XBT", "bitcoin"),
        ("venue:bitfinex/UST", "tether"),
        ("venue:upbit/SOL", "solana"),
        ("venue:kraken/LUNA", "terra-luna"),
        ("venue:kraken/LUNA2", "terra-luna-2"),
        ("eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "usd-coin"),
        ("eip155:8453/slip44:60", "ethereum"),
    ],
)
def test_known_codes_lead_to_their_asset(token: str, asset: str) -> None:
    found = catalog.load().of(TokenId(token), TODAY)
    assert found is not None
    assert found.id == asset


@pytest.mark.parametrize("token", ["venue:kraken/BTC", "venue:nowhere/BTC", "venue:coinbase/ORB", "eip155:1/erc20:0x" + "1" * 40])
def test_an_equal_ticker_is_no_membership(token: str) -> None:
    assert catalog.load().of(TokenId(token), TODAY) is None


def test_a_code_that_changed_its_meaning_is_read_by_date() -> None:
    luna = venue_token("binance", "LUNA")
    assets = catalog.load()
    meant = {day: assets.of(luna, start_of_day(day)) for day in (date(2021, 1, 1), date(2022, 5, 20), date(2023, 1, 1))}
    assert [asset and asset.id for asset in meant.values()] == ["terra-luna", None, "terra-luna-2"]


def test_the_stablecoins_and_majors_anchor_in_the_stated_order() -> None:
    roles = [(asset.role, asset.ticker) for asset in catalog.load().all if asset.role]
    assert roles == [
        ("major", "BTC"),
        ("major", "ETH"),
        ("stablecoin", "USDT"),
        ("stablecoin", "USDC"),
        ("stablecoin", "DAI"),
        ("stablecoin", "FDUSD"),
    ]


def test_other_data_has_another_digest() -> None:
    row = '[x]\nticker = "X"\nname = "X"\nvenues = {{ demo = ["{code}"] }}\n'
    one, two = catalog.read(row.format(code="X")), catalog.read(row.format(code="Y"))
    assert one.digest != two.digest
    assert one.of(venue_token("demo", "X"), EpochMs(0)) is not None
    assert two.of(venue_token("demo", "X"), EpochMs(0)) is None


def test_a_dated_code_holds_from_its_first_day_to_the_one_before_its_last() -> None:
    dated = Dated("X", since=date(2024, 1, 2), until=date(2024, 1, 4))
    assert [dated.holds(date(2024, 1, day)) for day in (1, 2, 3, 4)] == [False, True, True, False]
