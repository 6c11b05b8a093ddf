"""Balances are written from shared text, column by column; here they are made one by one, and every byte agrees."""

import random
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy.engine import Connection

from omnifolio.faces.api.wire import BalanceOut
from omnifolio.ledger import overrides, quotes, rates, read
from omnifolio.ledger.overrides import Override
from omnifolio.ledger.tokens import by_number
from omnifolio.model.amounts import canonical, from_units, rounded
from omnifolio.model.clock import DAY_MS, HOUR_MS, EpochMs, day_of
from omnifolio.model.facts import Balance, Batch, Cursor, Product, Snapshot, Wallet
from omnifolio.model.prices import BRIDGE, NOW_INTERVAL_MS, Unpriced
from omnifolio.model.tokens import TokenFacts, TokenId, contract_of
from omnifolio.views.valuation import Money, convert, value_of
from tests.faces.api.seed import TOKENS
from tests.faces.api.world import HTTP, Client, Link, Person, World, token_of

PRODUCTS: tuple[Product, ...] = ("spot", "staked", "debt")
LARGEST = from_units(2**256 - 1, 18)
SMALLEST = from_units(1, 18)
SEEDS = range(6)


class _Listed(msgspec.Struct):
    """What of an account is compared: the bytes of its balances."""

    id: str
    balances: msgspec.Raw


def _book(mark: str) -> tuple[TokenFacts, ...]:
    """Tokens of every kind, this book's own: their names need escapes, and more than one byte for a character."""
    return (
        *TOKENS,
        TokenFacts(id=TokenId("venue:demo/EUR"), ticker="EUR", name="Euro", kind="fiat", decimals=2),
        *(
            TokenFacts(id=TokenId(f"venue:demo/{mark}-{n}"), ticker=f"T{n}", name=f'"{n}" \\ é ₿ 𝔹\n', decimals=n or None)
            for n in range(12)
        ),
    )


def _amount(rng: random.Random) -> Decimal:
    digits = rng.randrange(1, 78)
    drawn = from_units(rng.randrange(10**digits), rng.randrange(19))
    return rng.choice((drawn, -drawn, SMALLEST, -SMALLEST, LARGEST, -LARGEST, Decimal(0), Decimal("0.005"), Decimal("-0.004")))


def _commit(link: Link, rng: random.Random, tokens: tuple[TokenFacts, ...], *, at: int) -> None:
    wallets = [Wallet(key="spot", name="Spot"), Wallet(key='a "second" ₿', name="Second")]
    link.commit(
        Batch(
            cursor=Cursor("balances/all", "c"),
            observed_at=EpochMs(at),
            tokens=tokens,
            wallets=tuple(wallets),
            snapshots=tuple(
                Snapshot(
                    wallet=wallet.key,
                    product=product,
                    at=EpochMs(at),
                    balances=tuple(Balance(fact.id, _amount(rng)) for fact in rng.sample(tokens, rng.randrange(1, len(tokens)))),
                )
                for wallet in wallets
                for product in PRODUCTS
            ),
        )
    )


def _price(world: World, rng: random.Random, mark: str) -> None:
    """Prices of the minute, of another time (stale by now), and for some tokens none."""
    now = world.clock.now()
    own = [f"venue:demo/{mark}-{n}" for n in range(12)]
    world.price({"venue:demo/BTC": "50000", "venue:demo/ETH": "2000.005"})
    world.price({token: canonical(from_units(rng.randrange(1, 10**12), rng.randrange(13))) for token in own[:6]})
    world.price(dict.fromkeys(own[6:8], "3.335"), at=now - 2 * DAY_MS, resolution=HOUR_MS)
    for currency, rate in (("USD", "1.0837"), ("JPY", "161.23")):
        world.rate(currency, rate)


def _expected(world: World, person: Person, link: Link, currency: str) -> bytes:
    """The balances of an account, each valued and encoded by itself."""

    def op(conn: Connection) -> bytes:
        now = world.clock.now()
        rows = read.balances(conn, person.principal, link.number)
        keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, person.principal)}
        tokens = by_number(conn, [row.token for row in rows])
        asked = [(row.token, now) for row in rows if tokens[row.token].kind != "fiat"]
        found = quotes.lookup(conn, asked, principal=person.principal, tolerance_ms=NOW_INTERVAL_MS)
        money = rates.lookup_rates(conn, currencies=["USD", "EUR", "JPY", currency], days=[day_of(now)])
        balances = []
        for row in rows:
            token = tokens[row.token]
            at_par = Money(amount=row.amount, currency=token.ticker)
            own = at_par if token.kind == "fiat" else value_of(row.amount, found.at(row.token, now))
            value = convert(own, currency=currency, at=now, rates=money)
            price = None if isinstance(value, Unpriced) else value.price
            worth = None if isinstance(value, Unpriced) else f"{rounded(value.amount, places=2):f}"
            source = None if worth is None else "par" if price is None else price.source
            raw = token.id.partition("/")[2] if token.id.startswith("venue:") else token.ticker
            is_verified = token.kind == "fiat" or world.context.assets.of(token.id, now) is not None
            cash = "cash" if token.ticker == "USD" else "cash_equivalent"
            kind = "staked" if row.product == "staked" else "crypto"
            balances.append(
                BalanceOut(
                    resource_type="balance",
                    ticker=token.ticker,
                    provider_ticker=f"{raw}.staked" if row.product == "staked" else raw,
                    provider_ticker_name=token.name,
                    ticker_address=contract_of(token.id),
                    name=token.name,
                    asset_type=cash if token.kind == "fiat" else kind,
                    decimals=token.decimals,
                    asset_is_verified=is_verified,
                    asset_id=token.id,
                    logo=None,
                    product=row.product,
                    amount=canonical(row.amount),
                    fiat_value="0.00" if worth == "-0.00" else worth,
                    fiat_ticker=currency,
                    fiat_asset_is_verified=is_verified and worth is not None,
                    updated_at=row.last_seen,
                    wallet=f"demo:{keys[row.wallet]}",
                    misc=None,
                    is_suspect=row.is_suspect,
                    fiat_price=None if price is None else canonical(price.price),
                    fiat_source=source,
                    fiat_reason=value.text if isinstance(value, Unpriced) else None,
                    is_stale=price is not None and price.is_stale,
                )
            )
        return msgspec.json.encode(balances)

    made: bytes = world.read(op)
    return made


def _asked(address: str, token: str, currency: str) -> dict[str, bytes]:
    """The bytes of each account's balances as the API gives them: the whole list, and each account by itself."""
    query, headers = f"?fiat={currency}", {"authorization": f"Bearer {token}"}
    whole = HTTP.get(f"{address}/v1/accounts{'' if currency == BRIDGE else query}", headers=headers)
    assert whole.status_code == 200, whole.text
    found = {item.id: bytes(item.balances) for item in msgspec.json.decode(whole.content, type=list[_Listed])}
    for number, balances in found.items():
        one = HTTP.get(f"{address}/v1/accounts/{number}{query}", headers=headers)
        assert bytes(msgspec.json.decode(one.content, type=_Listed).balances) == balances
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_balances_written_together_are_those_made_one_by_one(world: World, client: Client, address: str, seed: int) -> None:
    """Suspect, stale, unpriced, negative, the smallest and the largest amounts, fiat at par, in dollars and other money."""
    rng, mark = random.Random(seed), f"{world.store.dialect}{seed}"
    person = client.user("someone")
    tokens = _book(mark)
    links = [person.account("demo", mark=str(n)) for n in range(2)]
    now = world.clock.now()
    for link in links:
        _commit(link, rng, tokens, at=now - 1000)
        _commit(link, rng, tokens, at=now)  # what the second look lacks is doubted
    _price(world, rng, mark)
    token = token_of(address, client, "someone")
    for currency in (BRIDGE, "EUR", "JPY"):
        expected = {link.id: _expected(world, person, link, currency) for link in links}
        assert _asked(address, token, currency) == expected
    world.write(overrides.set_price, person.principal, tokens[-1].id, Override(price=Decimal("0.125")), day=None, now=now)
    assert _asked(address, token, BRIDGE) == {link.id: _expected(world, person, link, BRIDGE) for link in links}


def test_a_usual_book_is_written_the_same_way(world: World, client: Client, address: str) -> None:
    """Every balance has a fresh price in dollars: the case that is valued and written column by column."""
    person, mark = client.user("usual"), f"{world.store.dialect}-usual"
    tokens = tuple(TokenFacts(id=TokenId(f"venue:demo/{mark}-{n}"), ticker=f"U{n}", name=f"é{n}", decimals=18) for n in range(40))
    link = person.account("demo")
    _commit(link, random.Random(1), tokens, at=world.clock.now())
    world.price({fact.id: f"{n}.005" for n, fact in enumerate(tokens)})
    assert _asked(address, token_of(address, client, "usual"), BRIDGE) == {link.id: _expected(world, person, link, BRIDGE)}
