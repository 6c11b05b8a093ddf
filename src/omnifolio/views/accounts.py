"""A user's accounts as people see them: wallets, balances with their values, totals that say whether they are complete.

One consistent read; nothing is fetched, nothing is written. Amounts and values are exact, rounding belongs to the faces.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, overview, read
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.read import Held, WalletRow
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import EXACT
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.prices import BRIDGE, Quotes, Rates
from omnifolio.views.market import Market, rates_for
from omnifolio.views.valuation import Total, Value, Valued, sum_up, value_balance


class Holding(Struct, frozen=True):
    """One balance, its token and what it is worth."""

    held: Held
    token: TokenRow
    value: Value


class AccountView(Struct, frozen=True, kw_only=True):
    """One account with everything in it.

    `reconciled` are the wallets whose observed balances equal the sums of their history, token by token.
    `complete_from`/`complete_to` bound the history that every stream has read without a hole; None when there is none yet.
    """

    account: Account
    wallets: Sequence[WalletRow]
    holdings: Sequence[Holding]
    total: Total
    wallet_totals: Mapping[WalletId, Total]
    reconciled: frozenset[WalletId]
    gaps: Sequence[StoredGap]
    complete_from: EpochMs | None
    complete_to: EpochMs | None


def all_accounts(
    conn: Connection, principal: Principal, market: Market, *, now: EpochMs, currency: str, wallet: str | None = None
) -> list[AccountView]:
    """Every account of the user, oldest first; with `wallet` only the accounts and balances of the wallet with that key."""
    return _views(conn, principal, market, accounts.listed(conn, principal, now), now=now, currency=currency, wallet=wallet)


def one_account(
    conn: Connection,
    principal: Principal,
    market: Market,
    account: AccountId,
    *,
    now: EpochMs,
    currency: str,
    wallet: str | None = None,
) -> AccountView:
    """One account of the user. Raises: NotFound."""
    found = accounts.get(conn, principal, account, now)
    return _views(conn, principal, market, [found], now=now, currency=currency, wallet=wallet, keep_empty=True)[0]


def _views(
    conn: Connection,
    principal: Principal,
    market: Market,
    wanted: Sequence[Account],
    *,
    now: EpochMs,
    currency: str,
    wallet: str | None,
    keep_empty: bool = False,
) -> list[AccountView]:
    numbers = {account.id for account in wanted}
    purses: dict[AccountId, list[WalletRow]] = {}
    chosen: set[int] = set()
    for purse in read.wallets_of(conn, principal):
        if purse.account in numbers and (wallet is None or purse.key == wallet):
            purses.setdefault(purse.account, []).append(purse)
            chosen.add(purse.id)
    held = [row for row in read.balances(conn, principal) if row.wallet in chosen]
    tokens = by_number(conn, [row.token for row in held])
    priced = {number for number, row in tokens.items() if row.kind != "fiat"}
    quotes = market.prices(conn, principal, priced, now=now)
    currencies = {row.ticker for row in tokens.values() if row.kind == "fiat"} | ({BRIDGE} if priced else set())
    rates = rates_for(conn, currency=currency, sources=currencies, times=[now])
    holdings: dict[AccountId, list[Holding]] = {}
    for row, value in zip(held, _values(held, tokens, quotes, rates, now=now, currency=currency), strict=True):
        holdings.setdefault(row.account, []).append(Holding(row, tokens[row.token], value))
    sums: dict[WalletId, dict[int, Decimal]] = {}
    for (purse_id, token), amount in read.calculated(conn, principal).items():
        if amount:
            sums.setdefault(purse_id, {})[token] = amount
    spans = overview.intervals(conn, principal)
    gaps = overview.open_gaps(conn, principal)
    return [
        _view(
            account,
            purses.get(account.id, []),
            holdings.get(account.id, []),
            gaps.get(account.id, ()),
            spans.get(account.id, {}),
            _reconciled(purses.get(account.id, []), holdings.get(account.id, []), sums),
            currency=currency,
        )
        for account in wanted
        if wallet is None or keep_empty or account.id in purses
    ]


def _values(
    held: Iterable[Held], tokens: Mapping[int, TokenRow], quotes: Quotes, rates: Rates, *, now: EpochMs, currency: str
) -> list[Value]:
    return [
        value_balance(valued("", tokens[row.token], row), at=now, quotes=quotes, rates=rates, currency=currency) for row in held
    ]


def valued(key: str, token: TokenRow, row: Held) -> Valued:
    """A balance as valuation sees it."""
    return Valued(key=key, number=token.number, token=token.id, kind=token.kind, ticker=token.ticker, amount=row.amount)


def _view(
    account: Account,
    purses: Sequence[WalletRow],
    holdings: Sequence[Holding],
    gaps: Sequence[StoredGap],
    spans: Mapping[str, Sequence[Interval]],
    reconciled: frozenset[WalletId],
    *,
    currency: str,
) -> AccountView:
    by_wallet: dict[WalletId, list[tuple[str, Value]]] = {purse.id: [] for purse in purses}
    for holding in holdings:
        by_wallet[holding.held.wallet].append((holding.token.ticker, holding.value))
    start, end = common_span(spans)
    return AccountView(
        account=account,
        wallets=purses,
        holdings=holdings,
        total=sum_up([part for parts in by_wallet.values() for part in parts], currency=currency),
        wallet_totals={number: sum_up(parts, currency=currency) for number, parts in by_wallet.items()},
        reconciled=reconciled,
        gaps=gaps,
        complete_from=start,
        complete_to=end,
    )


def _reconciled(
    purses: Sequence[WalletRow], holdings: Sequence[Holding], sums: Mapping[WalletId, Mapping[int, Decimal]]
) -> frozenset[WalletId]:
    observed: dict[WalletId, dict[int, Decimal]] = {purse.id: {} for purse in purses}
    for holding in holdings:
        held = holding.held
        mine = observed[held.wallet]
        mine[held.token] = EXACT.add(mine[held.token], held.amount) if held.token in mine else held.amount
    return frozenset(number for number, amounts in observed.items() if amounts == sums.get(number, {}))


def common_span(spans: Mapping[str, Sequence[Interval]]) -> tuple[EpochMs | None, EpochMs | None]:
    """The latest stretch of time that every stream covers without a hole; (None, None) when there is none."""
    newest = [items[-1] for items in spans.values() if items]
    if not newest:
        return None, None
    start, end = max(item.start for item in newest), min(item.end for item in newest)
    return (start, end) if start <= end else (None, None)
