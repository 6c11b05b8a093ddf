"""Reading for faces: each question is one consistent read of the database, valued in the asked currency."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.ledger import accounts, feed, match, orders, positions, read, sequence
from omnifolio.ledger.feed import Changes
from omnifolio.ledger.orders import StoredOrder
from omnifolio.ledger.read import Filter, WalletRow
from omnifolio.ledger.sequence import latest
from omnifolio.ledger.tokens import TokenRow, by_ids, by_number
from omnifolio.meaning.transfers import State
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Position
from omnifolio.model.ids import AccountId, OrderId, TransactionId, WalletId
from omnifolio.model.tokens import TokenId
from omnifolio.views.accounts import AccountView, Changed, all_accounts, changed_accounts, one_account
from omnifolio.views.coverage import AccountCoverage, coverage_of
from omnifolio.views.history import HistoryRow, history
from omnifolio.views.market import check_currency
from omnifolio.views.portfolio import Portfolio, portfolio
from omnifolio.views.positions import OpenPositions, open_positions
from omnifolio.views.reconciled import Reconciliation, reconciliation
from omnifolio.views.transactions import TransactionPage, one_transaction, some_transactions, transaction_page
from omnifolio.views.transfers import TransferView, transfer_page

T = TypeVar("T")


class OrderPage(Struct, frozen=True):
    """Orders, their account's venue, and the tokens that they name."""

    venue: str
    orders: Sequence[StoredOrder]
    tokens: Mapping[TokenId, TokenRow]


class ChangePage(Struct, frozen=True, kw_only=True):
    """The next changes with the transactions and wallets that they name."""

    changes: Changes
    transactions: TransactionPage
    wallets: Mapping[WalletId, WalletRow]


class KnownBalance(Struct, frozen=True, kw_only=True):
    """A balance as it was known: where it was, of what, and how much."""

    account: AccountId
    venue: str
    wallet: WalletRow
    product: str
    token: TokenRow
    amount: Decimal


class KnownPosition(Struct, frozen=True, kw_only=True):
    """A position as it was known, and the tokens that it names."""

    account: AccountId
    venue: str
    wallet: WalletRow
    scope: str
    position: Position
    tokens: Mapping[TokenId, TokenRow]


class Known(Struct, frozen=True, kw_only=True):
    """Balances and positions that were known right after the commit `seq`, written at `at` (None for 0, before the first)."""

    seq: int
    at: EpochMs | None
    balances: Sequence[KnownBalance]
    positions: Sequence[KnownPosition]


class Read:
    """The questions of faces. Every method names its principal; each raises NotFound for what is not the user's."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def accounts(self, principal: Principal, *, fiat: str, wallet: str | None) -> list[AccountView]:
        """All accounts. Raises: InvalidField for a currency without a rate."""
        context = self._context

        def op(conn: Connection) -> list[AccountView]:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            return all_accounts(conn, principal, context.market, now=now, currency=fiat, wallet=wallet)

        return await context.store.read(op)

    async def changed_accounts(
        self, principal: Principal, known: Mapping[AccountId, int], *, fiat: str, into: Callable[[Changed], T]
    ) -> T:
        """All accounts in order, and views of those whose version is not the `known` one, made `into` what is wanted of them.

        That is done where they were read, in a reader's thread on SQLite: hundreds of balances do not change the processor.
        """
        context = self._context

        def op(conn: Connection) -> T:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            return into(changed_accounts(conn, principal, context.market, known, now=now, currency=fiat))

        return await context.store.read(op)

    async def account(self, principal: Principal, account: AccountId, *, fiat: str, wallet: str | None = None) -> AccountView:
        """One account."""
        context = self._context

        def op(conn: Connection) -> AccountView:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            return one_account(conn, principal, context.market, account, now=now, currency=fiat, wallet=wallet)

        return await context.store.read(op)

    async def positions(
        self, principal: Principal, account: AccountId | None, *, fiat: str, wallet: str | None = None
    ) -> OpenPositions:
        """The open positions of all accounts, or of one."""
        context = self._context

        def op(conn: Connection) -> OpenPositions:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            return open_positions(conn, principal, context.market, account, now=now, currency=fiat, wallet=wallet)

        return await context.store.read(op)

    async def portfolio(self, principal: Principal, *, fiat: str) -> tuple[Portfolio, EpochMs, int]:
        """Everything folded, the instant at which it was valued, and the user's sequence."""
        context = self._context

        def op(conn: Connection) -> tuple[Portfolio, EpochMs, int]:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            views = all_accounts(conn, principal, context.market, now=now, currency=fiat)
            return portfolio(views, context.assets, now=now, currency=fiat), now, latest(conn, principal)

        return await context.store.read(op)

    async def transactions(self, principal: Principal, account: AccountId, wanted: Filter, *, fiat: str) -> TransactionPage:
        """A page of an account's transactions."""
        context = self._context

        def op(conn: Connection) -> TransactionPage:
            check_currency(conn, fiat, context.clock.now())
            return transaction_page(
                conn, principal, account, wanted, currency=fiat, assets=context.assets, now=context.clock.now()
            )

        return await context.store.read(op)

    async def transaction(self, principal: Principal, account: AccountId, number: TransactionId, *, fiat: str) -> TransactionPage:
        """One transaction, as a page of one."""
        context = self._context

        def op(conn: Connection) -> TransactionPage:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            accounts.get(conn, principal, account, now)
            return one_transaction(conn, principal, account, number, currency=fiat, assets=context.assets, now=now)

        return await context.store.read(op)

    async def transfers(self, principal: Principal, *, state: State, before: EpochMs, limit: int) -> list[TransferView]:
        """Transfers between the user's own wallets, linked or waiting for a word, the newest first."""
        return await self._context.store.read(transfer_page, principal, state=state, before=before, limit=limit)

    async def transaction_named(self, principal: Principal, account: AccountId, name: str) -> TransactionId:
        """The transaction that had this id where its account was brought from. Raises: NotFound."""
        context = self._context

        def op(conn: Connection) -> TransactionId:
            source = accounts.get(conn, principal, account, context.clock.now()).imported_from
            found = {} if source is None else match.known_names(conn, account, [f"{source}:{name}"])
            if not found:
                raise NotFound("no transaction has this id")
            return TransactionId(next(iter(found.values())))

        return await context.store.read(op)

    async def history(
        self, principal: Principal, account: AccountId, *, first: date, last: date, wallet: str | None, fiat: str
    ) -> tuple[str, list[HistoryRow]]:
        """The account's venue, and what each wallet was worth at the end of each day."""
        context = self._context

        def op(conn: Connection) -> tuple[str, list[HistoryRow]]:
            now = context.clock.now()
            check_currency(conn, fiat, now)
            venue = accounts.get(conn, principal, account, now).venue
            return venue, history(conn, principal, account, first=first, last=last, now=now, currency=fiat, wallet=wallet)

        return await context.store.read(op)

    async def orders(
        self,
        principal: Principal,
        account: AccountId,
        *,
        start: EpochMs,
        end: EpochMs,
        limit: int,
        is_ascending: bool,
        last: OrderId | None,
    ) -> OrderPage:
        """A page of an account's orders."""
        context = self._context

        def op(conn: Connection) -> OrderPage:
            venue = accounts.get(conn, principal, account, context.clock.now()).venue
            found = orders.page(conn, principal, account, start=start, end=end, limit=limit, ascending=is_ascending, last=last)
            return _with_tokens(conn, venue, found)

        return await context.store.read(op)

    async def order(self, principal: Principal, account: AccountId, number: OrderId) -> OrderPage:
        """One order, as a page of one."""

        context = self._context

        def op(conn: Connection) -> OrderPage:
            venue = accounts.get(conn, principal, account, context.clock.now()).venue
            return _with_tokens(conn, venue, [orders.get(conn, principal, account, number)])

        return await context.store.read(op)

    async def version(self, principal: Principal, account: AccountId) -> int:
        """The sequence of the account's last change."""
        return (await self._context.store.read(accounts.get, principal, account, self._context.clock.now())).v

    async def coverage(self, principal: Principal, account: AccountId) -> AccountCoverage:
        """What was read of an account's history, what was not, and what is about to be lost."""
        context = self._context
        return await context.store.read(coverage_of, principal, account, context.clock.now())

    async def reconciliation(self, principal: Principal, account: AccountId) -> Reconciliation:
        """Balances against the history, and where they part."""
        context = self._context
        return await context.store.read(reconciliation, principal, account, context.clock.now())

    async def known(self, principal: Principal, seq: int | None) -> Known:
        """The balances and positions of a sequence, by default the last. Raises: InvalidField for one that is not written yet."""

        def op(conn: Connection) -> Known:
            newest = latest(conn, principal)
            if seq is not None and not 0 <= seq <= newest:
                raise InvalidField(f"seq: expected a sequence from 0 to {newest}")
            return _known(conn, principal, newest if seq is None else seq)

        return await self._context.store.read(op)

    async def known_on(self, principal: Principal, instant: EpochMs) -> Known:
        """The balances and positions that were known at an instant."""

        def op(conn: Connection) -> Known:
            return _known(conn, principal, sequence.at(conn, principal, instant))

        return await self._context.store.read(op)

    async def changes(self, principal: Principal, *, cursor: str, limit: int, fiat: str) -> ChangePage:
        """What changed after a cursor. Raises: InvalidField for a cursor that is not ours."""
        context = self._context

        def op(conn: Connection) -> ChangePage:
            check_currency(conn, fiat, context.clock.now())
            found = feed.changes(conn, principal, cursor=cursor, limit=limit)
            wanted = [
                TransactionId(change.id) for change in found.changes if change.kind == "transaction" and not change.is_removed
            ]
            return ChangePage(
                changes=found,
                transactions=some_transactions(
                    conn, principal, wanted, currency=fiat, assets=context.assets, now=context.clock.now()
                ),
                wallets={purse.id: purse for purse in read.wallets_of(conn, principal)},
            )

        return await context.store.read(op)


def _known(conn: Connection, principal: Principal, seq: int) -> Known:
    held = feed.balances_at(conn, principal, seq)
    wallets = {purse.id: purse for purse in read.wallets_of(conn, principal)}
    venues = read.venues_of(conn, principal)
    tokens = by_number(conn, {token for _, _, token in held})
    stands = positions.known_at(conn, principal, seq)
    named = by_ids(conn, {token for item in stands for token in item.position.tokens})
    return Known(
        seq=seq,
        at=sequence.written_at(conn, principal, seq),
        balances=[
            KnownBalance(
                account=wallets[wallet].account,
                venue=venues[wallets[wallet].account],
                wallet=wallets[wallet],
                product=product,
                token=tokens[token],
                amount=amount,
            )
            for (wallet, product, token), amount in held.items()
        ],
        positions=[
            KnownPosition(
                account=item.account,
                venue=venues[item.account],
                wallet=wallets[item.wallet],
                scope=item.scope,
                position=item.position,
                tokens=named,
            )
            for item in stands
        ],
    )


def _with_tokens(conn: Connection, venue: str, found: Sequence[StoredOrder]) -> OrderPage:
    return OrderPage(venue, found, by_ids(conn, {token for row in found for token in (row.order.base, row.order.quote)}))
