"""Values: one trade has one value, in every currency, exactly; and what is unknown is named."""

import random
from collections.abc import Mapping
from decimal import Decimal

import pytest

from omnifolio.catalog import assets as catalog
from omnifolio.model import amounts
from omnifolio.model.clock import DAY_MS, MINUTE_MS, EpochMs
from omnifolio.model.facts import Role
from omnifolio.model.prices import BRIDGE, Price, Quotes, Rates, Reason, Unpriced, bucket_of
from omnifolio.model.tokens import TokenId, TokenKind
from omnifolio.views.valuation import Money, Part, Value, Valued, convert, sum_up, value_balance, value_of, value_transaction

NOW = EpochMs(1_714_564_830_000)  # 2024-05-01 12:00:30 UTC
ASSETS = catalog.read(
    """
    [bitcoin]
    ticker = "BTC"
    name = "Bitcoin"
    role = "major"
    venues = { demo = ["BTC"] }
    [ethereum]
    ticker = "ETH"
    name = "Ethereum"
    role = "major"
    venues = { demo = ["ETH"] }
    [tether]
    ticker = "USDT"
    name = "Tether"
    role = "stablecoin"
    venues = { demo = ["USDT"] }
    [solana]
    ticker = "SOL"
    name = "Solana"
    venues = { demo = ["SOL"] }
    [cardano]
    ticker = "ADA"
    name = "Cardano"
    venues = { demo = ["ADA"] }
    """
)
NUMBERS = {code: number for number, code in enumerate(["BTC", "ETH", "USDT", "SOL", "ADA", "ZZZ", "AAA", "EUR", "USD", "GBP"])}
FIAT = {"EUR", "USD", "GBP"}
PRICES = {"BTC": "60000", "ETH": "3000", "USDT": "0.999", "SOL": "150", "ADA": "0.5", "ZZZ": "2", "AAA": "7"}
RATES = Rates({("USD", bucket_of(NOW, DAY_MS)): Decimal("1.0667"), ("GBP", bucket_of(NOW, DAY_MS)): Decimal("0.8547")})


def quotes(prices: Mapping[str, str] = PRICES, *, stale: frozenset[str] = frozenset(), **reasons: Reason) -> Quotes:
    minute = bucket_of(NOW, MINUTE_MS)
    found: dict[tuple[int, EpochMs], Price | Unpriced] = {
        (NUMBERS[code], minute): Price(
            price=Decimal(price),
            currency=BRIDGE,
            bucket=minute,
            resolution=MINUTE_MS,
            source="test",
            observed_at=NOW,
            is_stale=code in stale,
        )
        for code, price in prices.items()
    }
    return Quotes(found | {(NUMBERS[code], minute): Unpriced(reason) for code, reason in reasons.items()})


def leg(text: str) -> Valued:
    """`leg("in 1.5 BTC")`, `leg("out 20 USD")`, `leg("fee 0.1 USD")`."""
    way, amount, code = text.split()
    kind: TokenKind = "fiat" if code in FIAT else "crypto"
    role: Role = "fee" if way == "fee" else "principal"
    value = Decimal(amount) if way == "in" else -Decimal(amount)
    return Valued(
        key=text, number=NUMBERS[code], token=TokenId(f"venue:demo/{code}"), kind=kind, ticker=code, amount=value, role=role
    )


def values(*texts: str, currency: str = "USD", known: Quotes | None = None, rates: Rates = RATES) -> list[str]:
    """The values of the legs, in their order, as text."""
    legs = [leg(text) for text in texts]
    found = value_transaction(legs, at=NOW, quotes=known or quotes(), rates=rates, currency=currency, assets=ASSETS)
    return [shown(found[item.key]) for item in legs]


def shown(value: Value) -> str:
    return f"({value.reason})" if isinstance(value, Unpriced) else amounts.canonical(value.amount)


def test_a_value_is_the_exact_product_of_amount_and_price() -> None:
    known = quotes({"BTC": "61234.123456789"})
    value = value_of(Decimal("0.000000000000000001"), known.at(NUMBERS["BTC"], NOW))
    assert shown(value) == "0.000000000000061234123456789"


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        (("out 30000 USD", "in 0.4 BTC"), ["-30000", "30000"]),
        (("out 100 EUR", "in 0.002 BTC"), ["-106.67", "106.67"]),
        (("in 1000 USDT", "out 0.01 BTC"), ["999", "-999"]),
        (("out 1 BTC", "in 21 ETH"), ["-60000", "60000"]),
        (("in 1 ETH", "out 19 SOL"), ["3000", "-3000"]),
        (("in 1 SOL", "out 290 ADA"), ["150", "-150"]),
        (("in 1 ADA", "out 1 AAA"), ["0.5", "-0.5"]),
        (("in 3 ZZZ", "out 1 AAA"), ["7", "-7"]),
        (("out 90 EUR", "in 96 USD"), ["-96.003", "96.003"]),
    ],
)
def test_a_trade_has_the_value_of_its_best_known_leg(legs: tuple[str, str], expected: list[str]) -> None:
    assert values(*legs) == expected


def test_a_fee_is_valued_by_its_own_price() -> None:
    assert values("out 30000 USD", "in 0.4 BTC", "fee 0.001 BTC", "fee 2 EUR") == ["-30000", "30000", "-60", "-2.1334"]


def test_dust_is_valued_token_by_token() -> None:
    assert values("out 2 ADA", "out 1 SOL", "in 0.05 ETH", "fee 0.001 ETH") == ["-1", "-150", "150", "-3"]


def test_a_move_between_own_wallets_is_no_trade() -> None:
    assert values("out 2 SOL", "in 2 SOL") == ["-300", "300"]


def test_the_next_leg_gives_the_value_when_the_best_one_has_no_price() -> None:
    known = quotes({"SOL": "150"}, BTC="source_failed")
    assert values("in 1 BTC", "out 400 SOL", known=known) == ["60000", "-60000"]


def test_a_trade_without_any_price_has_no_value_and_never_zero() -> None:
    known = quotes({}, ZZZ="no_source", AAA="spike")
    assert values("in 1 ZZZ", "out 2 AAA", known=known) == ["(no_source)", "(spike)"]


def test_euros_are_dollars_divided_by_the_rate_at_twelve_places() -> None:
    assert values("in 1 BTC", currency="EUR") == ["56248.242242429924"]
    assert values("out 100 EUR", "in 0.002 BTC", currency="EUR") == ["-100", "100"]


def test_other_currencies_go_through_the_euro() -> None:
    (pounds,) = values("in 1 BTC", currency="GBP")
    assert Decimal(pounds) == amounts.product(Decimal("56248.242242429924"), Decimal("0.8547"))
    assert values("out 100 GBP", "in 0.002 BTC", currency="GBP") == ["-100", "100"]


def test_a_missing_rate_is_named_and_only_where_it_is_needed() -> None:
    nothing = Rates({})
    assert values("in 1 BTC", currency="EUR", rates=nothing) == ["(no_rate)"]
    assert values("in 1 BTC", "out 5 EUR", rates=nothing) == ["60000", "-60000"]


def test_a_fiat_leg_without_a_rate_does_not_make_the_trade_worthless() -> None:
    assert values("in 1 BTC", "out 50000 GBP", rates=Rates({})) == ["60000", "-60000"]


def test_a_total_names_what_is_missing_or_stale() -> None:
    known = quotes({"BTC": "60000", "ETH": "3000"}, stale=frozenset({"ETH"}), ZZZ="no_source")
    parts = [
        (code, value_balance(leg(f"in 1 {code}"), at=NOW, quotes=known, rates=RATES, currency="USD"))
        for code in ("BTC", "ETH", "ZZZ", "USD")
    ]
    total = sum_up(parts, currency="USD")
    assert (total.amount, total.complete) == (Decimal(63001), False)
    assert total.missing == (Part("ZZZ", "no price source lists it at that time"),)
    assert total.stale == (Part("ETH", "the last known price is from 2024-05-01 12:00 UTC"),)
    assert sum_up(parts[:1], currency="USD").complete


def test_a_converted_value_keeps_the_quote_that_gave_it() -> None:
    value = convert(value_of(Decimal(1), quotes().at(NUMBERS["BTC"], NOW)), currency="EUR", at=NOW, rates=RATES)
    assert isinstance(value, Money)
    assert value.price is not None
    assert value.price.price == 60000


def test_random_trades_conserve_value_in_every_currency() -> None:
    """Whatever is traded for whatever, the two principal legs of a trade sum to exactly nothing, or both have no value."""
    dice = random.Random(7)
    codes = list(NUMBERS)
    checked = 0
    for _ in range(2_000):
        one, two = dice.sample(codes, 2)
        prices = {code: str(Decimal(dice.randrange(1, 10**12)) / 10**6) for code in PRICES if dice.random() < 0.7}
        legs = [
            f"in {Decimal(dice.randrange(1, 10**15)) / 10**8} {one}",
            f"out {Decimal(dice.randrange(1, 10**9)) / 10**4} {two}",
        ]
        for currency in ("USD", "EUR", "GBP"):
            found = values(*legs, currency=currency, known=quotes(prices))
            if found[0].startswith("("):
                assert found[1].startswith("(")
            else:
                checked += 1
                assert Decimal(found[0]) + Decimal(found[1]) == 0
                assert Decimal(found[0]) > 0
    assert checked > 3_000
