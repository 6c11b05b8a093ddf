"""Open positions and what they are worth: the sum of their components, each valued by its token's price.

What a position controls is no part of it: a contract on a coin is worth what it has gained. Where that is in a balance already,
the reader tells no component (`model.facts.Position`), so that balances and positions can be added up.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import positions
from omnifolio.ledger.overview import PriceTerms, overview
from omnifolio.ledger.positions import HeldPosition
from omnifolio.ledger.read import WalletRow, wallets_of
from omnifolio.ledger.tokens import TokenRow, by_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.prices import BRIDGE
from omnifolio.model.tokens import TokenId
from omnifolio.views.market import Market, rates_for
from omnifolio.views.valuation import Money, Total, Value, convert, sum_up, value_of


class PositionView(Struct, frozen=True, kw_only=True):
    """A position, the tokens that it names, and the values of its components in their order. `total` is what it is worth."""

    held: HeldPosition
    tokens: Mapping[TokenId, TokenRow]
    values: Sequence[Value]
    total: Total

    @property
    def parts(self) -> Iterator[tuple[str, Value]]:
        """The values as parts of a larger total, each named by its token's ticker."""
        for component, value in zip(self.held.position.components, self.values, strict=True):
            yield self.tokens[component.token].ticker, value


class OpenPositions(Struct, frozen=True, kw_only=True):
    """The positions of a user, with the venues of their accounts and their wallets."""

    positions: Sequence[PositionView]
    venues: Mapping[AccountId, str]
    wallets: Mapping[WalletId, WalletRow]


def open_positions(
    conn: Connection,
    principal: Principal,
    market: Market,
    account: AccountId | None = None,
    *,
    now: EpochMs,
    currency: str,
    wallet: str | None = None,
) -> OpenPositions:
    """The positions of all accounts of the user, or of one, or of the wallet with that key. Raises: NotFound."""
    known = overview(conn, principal, now, account)
    wallets = {purse.id: purse for purse in wallets_of(conn, principal) if wallet is None or purse.key == wallet}
    found = [item for item in positions.held(conn, principal, account) if item.wallet in wallets]
    return OpenPositions(
        positions=valued(conn, principal, market, found, terms=known.terms, now=now, currency=currency),
        venues={item.account.id: item.account.venue for item in known.accounts},
        wallets=wallets,
    )


def valued(
    conn: Connection,
    principal: Principal,
    market: Market,
    found: Sequence[HeldPosition],
    *,
    terms: PriceTerms,
    now: EpochMs,
    currency: str,
) -> list[PositionView]:
    """The positions with their tokens and values."""
    if not found:
        return []
    tokens = by_ids(conn, {token for item in found for token in item.position.tokens})
    rows = {tokens[part.token] for item in found for part in item.position.components}
    fiat = {row.number: row.ticker for row in rows if row.kind == "fiat"}
    wanted = {row.number for row in rows if row.number not in fiat}
    prices = market.prices(conn, principal, wanted, terms=terms, now=now).found
    rates = rates_for(conn, currency=currency, sources={*fiat.values(), *([BRIDGE] if wanted else [])}, times=[now])

    def view(item: HeldPosition) -> PositionView:
        values: list[Value] = []
        for part in item.position.components:
            number = tokens[part.token].number
            own = Money(amount=part.amount, currency=fiat[number]) if number in fiat else value_of(part.amount, prices[number])
            values.append(convert(own, currency=currency, at=now, rates=rates))
        named = [(tokens[part.token].ticker, value) for part, value in zip(item.position.components, values, strict=True)]
        return PositionView(held=item, tokens=tokens, values=values, total=sum_up(named, currency=currency))

    return [view(item) for item in found]
