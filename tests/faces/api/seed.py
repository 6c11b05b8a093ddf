"""Facts for a small portfolio: enough of everything that the API shows."""

from collections.abc import Sequence
from decimal import Decimal

from omnifolio.model.clock import DAY_MS, SECOND_MS, EpochMs
from omnifolio.model.facts import (
    Balance,
    Batch,
    Claim,
    Component,
    Cursor,
    Gap,
    Interval,
    Leg,
    Order,
    Position,
    PositionSnapshot,
    Snapshot,
    Wallet,
)
from omnifolio.model.tokens import TokenFacts, TokenId
from tests.faces.api.world import Link, Person, World

USD, BTC, ETH, DUST = (TokenId(f"venue:demo/{code}") for code in ("USD", "BTC", "ETH", "DUST"))
USDC = TokenId("eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")
TOKENS = (
    TokenFacts(id=USD, ticker="USD", name="US Dollar", kind="fiat", decimals=2),
    TokenFacts(id=BTC, ticker="BTC", name="Bitcoin", decimals=8),
    TokenFacts(id=ETH, ticker="ETH", name="Ether", decimals=18),
    TokenFacts(id=DUST, ticker="DUST", name="Dust", decimals=18),
    TokenFacts(id=USDC, ticker="USDC", name="USD Coin", decimals=6),
)
GAIN = Decimal("12.5")
"""What the open position has gained so far."""
SMALLEST = Decimal(1).scaleb(-18)


def trade(number: int, at: int, *, wallet: str = "spot") -> Claim:
    """A purchase of 0.5 BTC for 100 dollars with a fee of 0.25 dollars."""
    return Claim(
        book="trades",
        ref=f"t{number}",
        refs=(f"trades:t{number}",),
        at=EpochMs(at),
        kind="trade",
        legs=(
            Leg("out", wallet, USD, Decimal(-100)),
            Leg("in", wallet, BTC, Decimal("0.5")),
            Leg("fee", wallet, USD, Decimal("-0.25"), "fee"),
        ),
    )


def deposit(number: int, at: int, *, token: TokenId = ETH, amount: Decimal = Decimal(2), wallet: str = "spot") -> Claim:
    """A deposit from an address of the chain."""
    return Claim(
        book="deposits",
        ref=f"d{number}",
        refs=(f"deposits:d{number}",),
        at=EpochMs(at),
        kind="deposit",
        legs=(Leg("in", wallet, token, amount, "principal", "0x00000000000000000000000000000000000000aa"),),
        event=f"eip155:1:0x{number:064x}",
    )


def order(number: int, at: int) -> Order:
    """A filled market order."""
    return Order(
        ref=f"o{number}",
        wallet="spot",
        base=BTC,
        quote=USD,
        side="buy",
        type="MARKET",
        status="filled",
        quantity=Decimal("0.5"),
        price=None,
        filled_quantity=Decimal("0.5"),
        filled_price=Decimal(100),
        created_at=EpochMs(at),
        updated_at=EpochMs(at),
        time_in_force="GTC",
    )


def page(link: Link, stream: str, claims: Sequence[Claim] = (), *, tokens: Sequence[TokenFacts] = TOKENS, **more: object) -> None:
    """Commits a page of one stream."""
    now = link.world.clock.now()
    link.commit(
        Batch(
            cursor=Cursor(stream, "c"),
            observed_at=now,
            claims=tuple(claims),
            tokens=tuple(tokens),
            done=True,
            **more,  # type: ignore[arg-type]
        )
    )


def balances(link: Link, amounts: dict[TokenId, str], *, at: int, wallet: str = "spot") -> None:
    """Commits the balances of one wallet."""
    found = tuple(Balance(token, Decimal(amount)) for token, amount in amounts.items())
    page(
        link,
        "balances/all",
        snapshots=(Snapshot(wallet=wallet, product="spot", at=EpochMs(at), balances=found),),
        wallets=(Wallet(key=wallet, name=wallet.title()),),
    )


def short() -> Position:
    """A position that is short of two bitcoin and has gained 12.5 dollars."""
    return Position(
        key="BTC-PERP/short",
        kind="perpetual",
        name="BTC-PERP",
        size=Decimal(-2),
        size_token=BTC,
        components=(Component("unrealised", USD, GAIN),),
        base=BTC,
        quote=USD,
        settle=USD,
        entry_price=Decimal("50006.25"),
        mark_price=Decimal(50000),
        unrealised=GAIN,
        margin_mode="cross",
        leverage=Decimal(10),
    )


def positions(link: Link, *found: Position, at: int, wallet: str = "spot") -> None:
    """Commits all open positions of one wallet."""
    told = PositionSnapshot(wallet=wallet, scope="all", at=EpochMs(at), positions=found)
    page(link, "positions/all", positions=(told,))


def portfolio(world: World, person: Person, *, mark: str = "1") -> Link:
    """An account with twelve trades, three deposits, two orders, balances, a position, coverage, a gap and prices."""
    now = world.clock.now()
    link = person.account("demo", name="Main", mark=mark)
    balances(link, {USD: "1000", BTC: "6", ETH: "5.000000000000000001", DUST: "7"}, at=now)
    positions(link, short(), at=now)
    trades = [trade(n, now - (20 - n) * DAY_MS) for n in range(12)]
    page(link, "trades/all", trades, covered=(Interval(EpochMs(now - 400 * DAY_MS), now),))
    deposits = [deposit(n, now - (5 - n) * DAY_MS + SECOND_MS) for n in range(2)]
    deposits.append(deposit(2, now - 2 * DAY_MS, amount=SMALLEST))
    page(
        link,
        "deposits/all",
        deposits,
        covered=(Interval(EpochMs(now - 400 * DAY_MS), now),),
        gaps=(Gap(stream="deposits/all", code="look_back", text="the venue keeps 400 days", end=EpochMs(now - 400 * DAY_MS)),),
    )
    page(link, "orders/all", orders=(order(1, now - 3 * DAY_MS), order(2, now - 2 * DAY_MS)))
    link.finish()
    world.price({BTC: "50000", ETH: "2000.005"})
    return link
