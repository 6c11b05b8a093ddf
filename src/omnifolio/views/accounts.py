"""A user's accounts as people see them: wallets, balances, positions, values, totals that say whether they are complete.

One consistent read; nothing is fetched, nothing is written. Amounts and values are exact, rounding belongs to the faces.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from operator import attrgetter, mul
from typing import cast

from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import positions, read
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.overview import Known, Overview, PriceTerms, overview
from omnifolio.ledger.read import Held, Look, WalletRow, WalletState
from omnifolio.ledger.tokens import TokenRow
from omnifolio.meaning.spam import Reason
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical, exact, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.prices import BRIDGE, Price, Unpriced
from omnifolio.views.coverage import Loss, common_span, losses
from omnifolio.views.market import Market, rates_for
from omnifolio.views.positions import PositionView, valued
from omnifolio.views.spam import spam_among
from omnifolio.views.valuation import Money, Total, Value, convert, sum_up, value_of

_price = attrgetter("price")


class Holding(Struct, frozen=True, gc=False):
    """One balance, its token and what it is worth."""

    held: Held
    token: TokenRow
    value: Value


class Hidden(Struct, frozen=True, gc=False):
    """A balance that is spam: it is in no pocket and no total, and the reasons say why."""

    held: Held
    token: TokenRow
    reasons: tuple[Reason, ...]


class Pocket(Struct, frozen=True, kw_only=True):
    """What one wallet holds of one product and what it is worth in `currency`, in the columns of `look`.

    `worths` are exact values, or why there is none; `prices` gave them, None for fiat at par and where there is none. `is_plain`:
    every balance has a value, by a price in dollars that is not stale. `rows` are at least the tokens that are held.
    """

    look: Look
    rows: Mapping[int, TokenRow]
    prices: Sequence[Price | None]
    worths: Sequence[Decimal | Unpriced]
    currency: str
    is_plain: bool

    @property
    def plain_worths(self) -> Sequence[Decimal]:
        """The values of a pocket that is plain."""
        assert self.is_plain, "only where every balance has a value"
        return cast("Sequence[Decimal]", self.worths)

    def holdings(self) -> list[Holding]:
        """The balances one by one."""
        return [
            Holding(
                held,
                self.rows[held.token],
                worth if isinstance(worth, Unpriced) else Money(amount=worth, currency=self.currency, price=price),
            )
            for held, price, worth in zip(self.look.held(), self.prices, self.worths, strict=True)
        ]


class AccountView(Struct, frozen=True, kw_only=True):
    """One account with everything in it.

    Totals are of balances and positions; `hidden` is spam and in none of them. `reconciled` are the wallets whose observed
    balances equal the sums of their history, token by token.
    `losses` are what a venue is about to keep no longer and nobody has read. `complete_from`/`complete_to` bound the history that
    every stream has read without a hole; None when there is none yet.
    """

    account: Account
    wallets: Sequence[WalletRow]
    pockets: Sequence[Pocket]
    hidden: Sequence[Hidden]
    positions: Sequence[PositionView]
    total: Total
    wallet_totals: Mapping[WalletId, Total]
    reconciled: frozenset[WalletId]
    gaps: Sequence[StoredGap]
    losses: Sequence[Loss]
    complete_from: EpochMs | None
    complete_to: EpochMs | None

    @property
    def holdings(self) -> list[Holding]:
        """Its balances one by one."""
        return [holding for pocket in self.pockets for holding in pocket.holdings()]


def all_accounts(
    conn: Connection, principal: Principal, market: Market, *, now: EpochMs, currency: str, wallet: str | None = None
) -> list[AccountView]:
    """Every account of the user, oldest first; with `wallet` only the accounts and balances of the wallet with that key."""
    views = _views(
        conn,
        principal,
        market,
        overview(conn, principal, now),
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
    found = overview(conn, principal, now)
    is_shared = not found.terms.has_own
    wanted = [item for item in found.accounts if not is_shared or known.get(item.account.id) != item.account.v]
    views = _views(conn, principal, market, Overview(found.terms, wanted), now=now, currency=currency, wallet=None)
    return Changed(
        order=[item.account.id for item in found.accounts],
        views={view.account.id: view for view in views},
        is_shared=is_shared,
    )


def chosen_accounts(
    conn: Connection, principal: Principal, market: Market, wanted: Collection[AccountId], *, now: EpochMs, currency: str
) -> list[AccountView]:
    """Those accounts of the user, oldest first."""
    if not wanted:
        return []
    found = overview(conn, principal, now, next(iter(wanted)) if len(wanted) == 1 else None)
    chosen = [item for item in found.accounts if item.account.id in wanted]
    return _views(conn, principal, market, Overview(found.terms, chosen), now=now, currency=currency, wallet=None)


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
    found = overview(conn, principal, now, account)
    return _views(conn, principal, market, found, now=now, currency=currency, wallet=wallet)[0]


def _views(
    conn: Connection,
    principal: Principal,
    market: Market,
    wanted: Overview,
    *,
    now: EpochMs,
    currency: str,
    wallet: str | None,
) -> list[AccountView]:
    if not wanted.accounts:
        return []
    states: dict[AccountId, list[WalletState]] = {known.account.id: [] for known in wanted.accounts}
    only = next(iter(states)) if len(states) == 1 else None
    for state in read.wallet_states(conn, principal, only):
        if state.wallet.account in states and (wallet is None or state.wallet.key == wallet):
            states[state.wallet.account].append(state)
    seen = [look for account in states.values() for state in account for look in state.looks]
    pockets: dict[AccountId, list[Pocket]] = {number: [] for number in states}
    looks, spam = _without_spam(conn, principal, market, seen, now=now)
    hidden: dict[AccountId, list[Hidden]] = {number: [] for number in states}
    for item in spam:
        hidden[item.held.account].append(item)
    for pocket in _pockets(conn, principal, market, looks, terms=wanted.terms, now=now, currency=currency):
        pockets[pocket.look.account].append(pocket)
    stands: dict[AccountId, list[PositionView]] = {number: [] for number in states}
    if any(known.has_positions for known in wanted.accounts):
        shown = {state.wallet.id for account in states.values() for state in account}
        found = [item for item in positions.held(conn, principal, only) if item.wallet in shown]
        for position in valued(conn, principal, market, found, terms=wanted.terms, now=now, currency=currency):
            stands[position.held.account].append(position)
    return [
        _view(
            known,
            states[known.account.id],
            pockets[known.account.id],
            hidden[known.account.id],
            stands[known.account.id],
            now=now,
            currency=currency,
        )
        for known in wanted.accounts
    ]


def _without_spam(
    conn: Connection, principal: Principal, market: Market, looks: Sequence[Look], *, now: EpochMs
) -> tuple[Sequence[Look], Sequence[Hidden]]:
    """The looks without spam, and the balances that were taken out of them."""
    numbers = set(chain.from_iterable(look.tokens for look in looks))
    tokens = market.tokens(conn, numbers)
    rows = tokens.rows
    spam = spam_among(conn, principal, rows, numbers & tokens.foreign, now=now)
    if not spam:
        return looks, []
    hidden = [
        Hidden(held, rows[held.token], spam[held.token].reasons) for look in looks for held in look.held() if held.token in spam
    ]
    return [_kept(look, spam) for look in looks], hidden


def _kept(look: Look, spam: Container[int]) -> Look:
    places = [place for place, token in enumerate(look.tokens) if token not in spam]
    return structs.replace(
        look,
        tokens=[look.tokens[place] for place in places],
        texts=[look.texts[place] for place in places],
        amounts=[look.amounts[place] for place in places],
    )


def _pockets(
    conn: Connection,
    principal: Principal,
    market: Market,
    looks: Sequence[Look],
    *,
    terms: PriceTerms,
    now: EpochMs,
    currency: str,
) -> list[Pocket]:
    """Balances with their tokens and values."""
    numbers = set(chain.from_iterable(look.tokens for look in looks))
    tokens = market.tokens(conn, numbers)
    fiat = {number: tokens.fiat[number] for number in numbers.intersection(tokens.fiat)}
    prices = market.prices(conn, principal, numbers.difference(fiat), terms=terms, now=now)
    sources = {*fiat.values(), *([BRIDGE] if len(fiat) < len(numbers) else [])}
    rates = rates_for(conn, currency=currency, sources=sources, times=[now])
    plain = prices.plain if currency == BRIDGE else {}

    def pocket(look: Look) -> Pocket:
        if all(map(plain.__contains__, look.tokens)):
            known = [plain[number] for number in look.tokens]
            products = list(map(mul, look.amounts, map(_price, known)))
            return Pocket(look=look, rows=tokens.rows, prices=known, worths=products, currency=currency, is_plain=True)
        used: list[Price | None] = []
        worths: list[Decimal | Unpriced] = []
        for number, amount in zip(look.tokens, look.amounts, strict=True):
            quote = None if number in fiat else prices.found[number]
            own = Money(amount=amount, currency=fiat[number]) if quote is None else value_of(amount, quote)
            value = convert(own, currency=currency, at=now, rates=rates)
            used.append(value.price if isinstance(value, Money) else None)
            worths.append(value.amount if isinstance(value, Money) else value)
        return Pocket(look=look, rows=tokens.rows, prices=used, worths=worths, currency=currency, is_plain=False)

    with exact():
        return [pocket(look) for look in looks]


def _view(
    known: Known,
    states: Sequence[WalletState],
    pockets: Sequence[Pocket],
    hidden: Sequence[Hidden],
    stands: Sequence[PositionView],
    *,
    now: EpochMs,
    currency: str,
) -> AccountView:
    by_wallet: dict[WalletId, list[Pocket]] = {state.wallet.id: [] for state in states}
    for pocket in pockets:
        by_wallet[pocket.look.wallet].append(pocket)
    standing: dict[WalletId, list[PositionView]] = {}
    for position in stands:
        standing.setdefault(position.held.wallet, []).append(position)
    totals = {number: _total(items, standing.get(number, ()), currency) for number, items in by_wallet.items()}
    start, end = common_span(known.spans)
    return AccountView(
        account=known.account,
        wallets=[state.wallet for state in states],
        pockets=pockets,
        hidden=hidden,
        positions=stands,
        total=next(iter(totals.values())) if len(totals) == 1 else _total(pockets, stands, currency),
        wallet_totals=totals,
        reconciled=frozenset(state.wallet.id for state in states if _is_reconciled(state)),
        gaps=known.gaps,
        losses=losses(known.account, known.spans, now),
        complete_from=start,
        complete_to=end,
    )


def _total(pockets: Sequence[Pocket], stands: Sequence[PositionView], currency: str) -> Total:
    if not stands and all(pocket.is_plain for pocket in pockets):
        return Total(
            amount=total(chain.from_iterable(pocket.plain_worths for pocket in pockets)), currency=currency, complete=True
        )
    holdings = [holding for pocket in pockets for holding in pocket.holdings()]
    parts = [(holding.token.ticker, holding.value) for holding in holdings]
    return sum_up([*parts, *(part for position in stands for part in position.parts)], currency=currency)


def _is_reconciled(state: WalletState) -> bool:
    """Whether a wallet holds, over all its products, exactly what its history adds up to. An amount has one canonical text."""
    if len(state.looks) == 1:
        return state.looks[0].by_token == state.sums
    amounts: dict[int, list[Decimal]] = {}
    for look in state.looks:
        for number, amount in zip(look.tokens, look.amounts, strict=True):
            amounts.setdefault(number, []).append(amount)
    return {number: canonical(total(parts)) for number, parts in amounts.items()} == state.sums
