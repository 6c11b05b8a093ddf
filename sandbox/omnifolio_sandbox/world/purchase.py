"""A purchase scripted from outside a user's story: one fill of a market order, with the facts that each protocol shows."""

from collections.abc import Mapping
from decimal import Decimal

from omnifolio_sandbox.amounts import cut, ratio
from omnifolio_sandbox.world import binance, kraken
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.dice import capitals, number
from omnifolio_sandbox.world.prices import token_price
from omnifolio_sandbox.world.story import START_MS
from omnifolio_sandbox.world.tokens import code_of
from omnifolio_sandbox.world.world import Account

SPOT = ("spot", "spot")


def purchase(account: Account, seed: str, *, base: str, quote: str, amount: Decimal, at_ms: int, visible_at: int) -> Event:
    """`amount` of the ticker `base` bought for `quote` at the price of that minute, with the venue's usual fee.

    Raises: ValueError for a market that the venue does not have, or what the account cannot pay.
    """
    if account.venue == "kraken":
        event = _at_kraken(account, seed, base=base, quote=quote, amount=amount, at_ms=at_ms, visible_at=visible_at)
    elif account.venue == "binance":
        event = _at_binance(account, base=base, quote=quote, amount=amount, at_ms=at_ms, visible_at=visible_at)
    else:
        raise ValueError(f"nothing can be bought at {account.venue!r}: only at kraken and binance")
    held = account.balances(max(at_ms, visible_at))
    spent = -sum((leg.amount for leg in event.legs if leg.amount < 0 and leg.code == code_of(account.venue, quote)), Decimal(0))
    if held.get((*SPOT, code_of(account.venue, quote)), Decimal(0)) < spent:
        raise ValueError(f"{amount} {base} costs {spent} {quote}, which is more than the account holds")
    return event


def elsewhere(seed: str, asked: Mapping[str, str], *, at_ms: int) -> Event:
    """A purchase of `asked` `amount`, `base` and `quote` at a venue that keeps no books here: only news of it exists."""
    facts = {
        "base": asked["base"], "quote": asked["quote"], "volume": asked["amount"], "price": "1",
        "order": str(number("order", seed)),
    }  # fmt: skip
    ref = str(number("trade", seed))
    return Event(kind="fill", ref=ref, at=at_ms, visible_at=at_ms, type="trade", subtype=None, legs=(), facts=facts)


def _price(venue: str, base: str, quote: str, *, places: int, at_ms: int) -> Decimal:
    prices = [token_price(venue, code_of(venue, ticker), at_ms) for ticker in (base, quote)]
    if prices[0] is None or prices[1] is None:
        raise ValueError(f"{base}/{quote} has no price")
    return ratio(prices[0], prices[1], places) or Decimal(1).scaleb(-places)


def _at_kraken(account: Account, seed: str, *, base: str, quote: str, amount: Decimal, at_ms: int, visible_at: int) -> Event:
    places = next((one[2] for one in kraken.PAIRS if one[:2] == (base, quote)), None)
    if places is None:
        raise ValueError(f"kraken has no market {base}/{quote}")
    codes = code_of("kraken", base), code_of("kraken", quote)
    price = _price("kraken", base, quote, places=places, at_ms=at_ms)
    cost = cut(amount * price, kraken.DECIMALS[codes[1]])
    fee = cut(cost * kraken.TAKER_FEE, kraken.DECIMALS[codes[1]])
    txid, order = (f"{raw[:6]}-{raw[6:11]}-{raw[11:17]}" for raw in ("T" + capitals(16, seed), "O" + capitals(16, seed)))
    return Event(
        kind="fill",
        ref=txid,
        at=at_ms,
        visible_at=visible_at,
        type="trade",
        subtype=trade_subtype("kraken", given=codes[1], got=codes[0]),
        legs=(Leg(*SPOT, codes[0], amount), Leg(*SPOT, codes[1], -cost), *fee_legs(*SPOT, codes[1], fee)),
        facts={
            "order": order, "base": codes[0], "quote": codes[1], "buying": True, "maker": False, "price": price,
            "volume": amount, "cost": cost, "fee": fee, "trade_id": 90_000_000 + number(seed) % 10_000_000,
        },
    )  # fmt: skip


def _at_binance(account: Account, *, base: str, quote: str, amount: Decimal, at_ms: int, visible_at: int) -> Event:
    places = next((one[2] for one in binance.SYMBOLS if one[:2] == (base, quote)), None)
    if places is None:
        raise ValueError(f"binance has no symbol {base}{quote}")
    price = _price("binance", base, quote, places=places, at_ms=at_ms)
    cost = cut(amount * price, binance.PLACES)
    fee = cut(amount * binance.COMMISSION, binance.PLACES)
    symbol = base + quote
    # Ids grow within a symbol: above every one that was shown, and where the story's clock of ids stands.
    shown = [event.facts["id"] for event in account.events(visible_at) if event.facts.get("symbol") == symbol]
    trade = max([*(one + 1 for one in shown), 100_000 + number("symbol", symbol) % 1_000_000 + (at_ms - START_MS) // 5_000])
    facts = {
        "symbol": symbol, "id": trade, "order": 8_900_000_000 + trade, "price": price, "quantity": amount, "cost": cost,
        "fee": fee, "fee_asset": base, "buying": True, "maker": False,
    }  # fmt: skip
    return Event(
        kind="fill",
        ref=f"{symbol}/{trade}",
        at=at_ms,
        visible_at=visible_at,
        type="trade",
        subtype=trade_subtype("binance", given=quote, got=base),
        legs=(Leg(*SPOT, base, amount), Leg(*SPOT, quote, -cost), *fee_legs(*SPOT, base, fee)),
        facts=facts,
    )
