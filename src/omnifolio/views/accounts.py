"""A user's accounts as people see them: wallets, balances with their values, totals that say whether they are complete.

One consistent read; nothing is fetched, nothing is written. Amounts and values are exact, rounding belongs to the faces.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, overview, read
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.overview import PriceTerms
from omnifolio.ledger.read import Held, WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.prices import BRIDGE, NOT_ASKED
from omnifolio.views.market import Market, rates_for
from omnifolio.views.valuation import Money, Total, Value, convert, sum_up, values_by_price

FILE_STREAMS = "file/"
"""How the streams of imported files are named."""


class Holding(Struct, frozen=True, gc=False):
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
    found = accounts.listed(conn, principal, now)
    views = _views(
        conn,
        principal,
        market,
        found,
        None,
        terms=overview.price_terms(conn, principal),
        now=now,
        currency=currency,
        wallet=wallet,
    )
    return views if wallet is None else [view for view in views if view.wallets]


class Changed(Struct, frozen=True):
    """A user's accounts in order, with views of those that have changed. `is_shared`: no price in them is the user's own."""

    order: Sequence[AccountId]
    views: Mapping[AccountId, AccountView]
    is_shared: bool


def changed_accounts(
    conn: Connection, principal: Principal, market: Market, known: Mapping[AccountId, int], *, now: EpochMs, currency: str
) -> Changed:
    """The accounts whose version (`v`) is not the `known` one.

    For a caller that keeps the others, valued at the prices that still hold. Where the user has set prices, all are given.
    """
    versions = accounts.versions(conn, principal)
    terms = overview.price_terms(conn, principal)
    is_shared = not terms.has_own
    changed = [number for number, v in versions.items() if not is_shared or known.get(number) != v]
    only = changed[0] if len(changed) == 1 else None
    if only is not None:
        wanted: Sequence[Account] = [accounts.get(conn, principal, only, now)]
    else:
        wanted = [account for account in accounts.listed(conn, principal, now) if account.id in changed] if changed else []
    views = _views(conn, principal, market, wanted, only, terms=terms, now=now, currency=currency, wallet=None) if wanted else []
    return Changed(order=list(versions), views={view.account.id: view for view in views}, is_shared=is_shared)


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
    return _views(
        conn,
        principal,
        market,
        [found],
        account,
        terms=overview.price_terms(conn, principal),
        now=now,
        currency=currency,
        wallet=wallet,
    )[0]


def _views(
    conn: Connection,
    principal: Principal,
    market: Market,
    wanted: Sequence[Account],
    only: AccountId | None,
    *,
    terms: PriceTerms,
    now: EpochMs,
    currency: str,
    wallet: str | None,
) -> list[AccountView]:
    purses: dict[AccountId, list[WalletRow]] = {account.id: [] for account in wanted}
    chosen: set[WalletId] = set()
    for purse in read.wallets_of(conn, principal):
        if purse.account in purses and (wallet is None or purse.key == wallet):
            purses[purse.account].append(purse)
            chosen.add(purse.id)
    holdings: dict[AccountId, list[Holding]] = {account.id: [] for account in wanted}
    held = [row for row in read.balances(conn, principal, only) if row.wallet in chosen]
    for holding in _holdings(conn, principal, market, held, terms=terms, now=now, currency=currency):
        holdings[holding.held.account].append(holding)
    sums = read.calculated(conn, principal, only)
    spans = overview.intervals(conn, principal)
    gaps = overview.open_gaps(conn, principal)
    return [
        _view(
            account,
            purses[account.id],
            holdings[account.id],
            sums,
            gaps=gaps.get(account.id, ()),
            spans=spans.get(account.id, {}),
            currency=currency,
        )
        for account in wanted
    ]


def _holdings(
    conn: Connection,
    principal: Principal,
    market: Market,
    held: Sequence[Held],
    *,
    terms: PriceTerms,
    now: EpochMs,
    currency: str,
) -> list[Holding]:
    """Balances with their tokens and values."""
    numbers = {row.token for row in held}
    tokens = market.tokens(conn, numbers)
    fiat = {number: tokens[number].ticker for number in numbers if tokens[number].kind == "fiat"}
    prices = market.prices(conn, principal, numbers - fiat.keys(), terms=terms, now=now)
    sources = {*fiat.values(), *([BRIDGE] if len(fiat) < len(numbers) else [])}
    rates = rates_for(conn, currency=currency, sources=sources, times=[now])
    values = values_by_price(
        [(row.amount, prices.get(row.token, NOT_ASKED)) for row in held], at=now, rates=rates, currency=currency
    )
    if fiat:
        for place, row in enumerate(held):
            if row.token in fiat:
                money = Money(amount=row.amount, currency=fiat[row.token])
                values[place] = convert(money, currency=currency, at=now, rates=rates)
    return [Holding(row, tokens[row.token], value) for row, value in zip(held, values, strict=True)]


def _view(
    account: Account,
    purses: Sequence[WalletRow],
    holdings: Sequence[Holding],
    sums: Mapping[WalletId, Mapping[int, str]],
    *,
    gaps: Sequence[StoredGap],
    spans: Mapping[str, Sequence[Interval]],
    currency: str,
) -> AccountView:
    by_wallet: dict[WalletId, list[Holding]] = {purse.id: [] for purse in purses}
    for holding in holdings:
        by_wallet[holding.held.wallet].append(holding)
    totals = {number: _total(items, currency) for number, items in by_wallet.items()}
    start, end = common_span(spans)
    return AccountView(
        account=account,
        wallets=purses,
        holdings=holdings,
        total=next(iter(totals.values())) if len(totals) == 1 else _total(holdings, currency),
        wallet_totals=totals,
        reconciled=frozenset(number for number, items in by_wallet.items() if _is_reconciled(items, sums.get(number, {}))),
        gaps=gaps,
        complete_from=start,
        complete_to=end,
    )


def _total(holdings: Sequence[Holding], currency: str) -> Total:
    return sum_up([(holding.token.ticker, holding.value) for holding in holdings], currency=currency)


def _is_reconciled(holdings: Sequence[Holding], sums: Mapping[int, str]) -> bool:
    """Whether a wallet holds, over all its products, exactly what its history adds up to. An amount has one canonical text."""
    if len(holdings) < len(sums):
        return False
    texts = {holding.held.token: holding.held.text for holding in holdings}
    if len(texts) < len(holdings):
        amounts: dict[int, list[Decimal]] = {}
        for holding in holdings:
            amounts.setdefault(holding.held.token, []).append(holding.held.amount)
        texts = {token: canonical(total(parts)) for token, parts in amounts.items()}
    return texts == sums


def common_span(spans: Mapping[str, Sequence[Interval]]) -> tuple[EpochMs | None, EpochMs | None]:
    """The latest stretch of time that every stream covers without a hole; (None, None) when there is none."""
    # A file repeats what its venue's interface tells, or adds to it; its first and last line bound nothing.
    read = {stream: items for stream, items in spans.items() if not stream.startswith(FILE_STREAMS)} or spans
    newest = [items[-1] for items in read.values() if items]
    if not newest:
        return None, None
    start, end = max(item.start for item in newest), min(item.end for item in newest)
    return (start, end) if start <= end else (None, None)
