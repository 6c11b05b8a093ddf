"""Transactions with the values of their legs, as they were worth when they happened."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.catalog.assets import Assets
from omnifolio.ledger import quotes, read, transfers
from omnifolio.ledger.decisions import ADDRESS
from omnifolio.ledger.overlays import said_of
from omnifolio.ledger.read import Filter, StoredTransaction, WalletRow
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.ledger.transfers import Transfer
from omnifolio.meaning.spam import CLEAN, Verdict
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.model.prices import BRIDGE, Unpriced
from omnifolio.views.market import rates_for
from omnifolio.views.spam import foreign_among, spam_among, spam_transactions
from omnifolio.views.valuation import Value, Valued, value_transaction


class TransactionView(Struct, frozen=True, kw_only=True):
    """A transaction, the value of each leg by its key, what the user says of it, and whose other side it is.

    Where all that it moved is linked, its subtype says so: `transfer_in`, `transfer_out`.
    """

    transaction: StoredTransaction
    values: Mapping[str, Value]
    label: str | None = None
    note: str | None = None
    transfers: Sequence[Transfer] = ()
    spam: Verdict = CLEAN


class TransactionPage(Struct, frozen=True, kw_only=True):
    """Transactions in the asked order, the tokens and wallets that they name, and the user's labels of addresses in them."""

    rows: Sequence[TransactionView]
    currency: str
    tokens: Mapping[int, TokenRow]
    wallets: Mapping[WalletId, WalletRow]
    venues: Mapping[AccountId, str]
    labels: Mapping[str, str] = {}


def transaction_page(
    conn: Connection, principal: Principal, account: AccountId, wanted: Filter, *, currency: str, assets: Assets, now: EpochMs
) -> TransactionPage:
    """One page of an account's transactions. Raises: NotFound."""
    return _valued(conn, principal, read.page(conn, principal, account, wanted), currency=currency, assets=assets, now=now)


def one_transaction(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    number: TransactionId,
    *,
    currency: str,
    assets: Assets,
    now: EpochMs,
) -> TransactionPage:
    """One transaction as a page of one row. Raises: NotFound."""
    found = read.transaction(conn, principal, account, number)
    return _valued(conn, principal, [found], currency=currency, assets=assets, now=now)


def some_transactions(
    conn: Connection, principal: Principal, numbers: Sequence[TransactionId], *, currency: str, assets: Assets, now: EpochMs
) -> TransactionPage:
    """The live ones among these transactions of the user, whatever their account."""
    return _valued(conn, principal, read.by_ids(conn, principal, numbers), currency=currency, assets=assets, now=now)


def _valued(
    conn: Connection, principal: Principal, rows: Sequence[StoredTransaction], *, currency: str, assets: Assets, now: EpochMs
) -> TransactionPage:
    tokens = by_number(conn, [leg.token for row in rows for leg in row.legs])
    asked = {ask for row in rows for ask in _asked(row, tokens)}
    prices = quotes.lookup(conn, asked, principal=principal, tolerance_ms=0)
    said = _said(conn, principal, rows)
    wallets = {purse.id: purse for purse in read.wallets_of(conn, principal)}
    bad = spam_among(conn, principal, tokens, foreign_among(tokens), now=now)
    spam = spam_transactions(conn, principal, rows, bad, wallets.values())
    ties = transfers.of_transactions(conn, principal, [row.id for row in rows])
    currencies = {row.ticker for row in tokens.values() if row.kind == "fiat"} | ({BRIDGE} if asked else set())
    rates = rates_for(conn, currency=currency, sources=currencies, times=[row.at for row in rows])
    return TransactionPage(
        rows=[
            TransactionView(
                transaction=_as_transfer(row, ties[row.id]) if ("type", str(row.id)) not in said else row,
                values={
                    **value_transaction(
                        _legs(row, tokens), at=row.at, quotes=prices, rates=rates, currency=currency, assets=assets
                    ),
                    **{leg.key: Unpriced("spam") for leg in row.legs if leg.token in bad},
                },
                label=said.get(("label", str(row.id))),
                note=said.get(("note", str(row.id))),
                transfers=ties[row.id],
                spam=spam.get(row.id, CLEAN),
            )
            for row in rows
        ],
        currency=currency,
        tokens=tokens,
        wallets=wallets,
        venues=read.venues_of(conn, principal),
        labels={
            target.removeprefix(ADDRESS): text
            for (kind, target), text in said.items()
            if kind == "label" and target.startswith(ADDRESS)
        },
    )


def _as_transfer(row: StoredTransaction, ties: Sequence[Transfer]) -> StoredTransaction:
    """The transaction with the subtype of a transfer, if it is nothing else."""
    tied = {side.key for tie in ties for side in (tie.source, tie.target) if side.transaction == row.id}
    if not tied or any(leg.key not in tied for leg in row.legs if leg.role == "principal"):
        return row
    return structs.replace(row, subtype="transfer_in" if row.type == "deposit" else "transfer_out")


def _said(conn: Connection, principal: Principal, rows: Sequence[StoredTransaction]) -> Mapping[tuple[str, str], str]:
    """What the user says of the transactions and of the addresses in them."""
    parties = {ADDRESS + leg.counterparty for row in rows for leg in row.legs if leg.counterparty is not None}
    return said_of(conn, principal.data_user, ("label", "note", "type"), {*(str(row.id) for row in rows), *parties})


def _asked(row: StoredTransaction, tokens: Mapping[int, TokenRow]) -> Iterable[tuple[int, EpochMs]]:
    """The prices that the transaction's value rests on. A trade against dollars needs none for its other side."""
    principals = [leg for leg in row.legs if leg.role == "principal"]
    is_anchored = len(principals) == 2 and any(
        tokens[leg.token].kind == "fiat" and tokens[leg.token].ticker == BRIDGE for leg in principals
    )
    for leg in row.legs:
        if tokens[leg.token].kind != "fiat" and not (is_anchored and leg.role == "principal"):
            yield leg.token, row.at


def _legs(row: StoredTransaction, tokens: Mapping[int, TokenRow]) -> list[Valued]:
    return [
        Valued(
            key=leg.key,
            number=leg.token,
            token=tokens[leg.token].id,
            kind=tokens[leg.token].kind,
            ticker=tokens[leg.token].ticker,
            amount=leg.amount,
            role=leg.role,
        )
        for leg in row.legs
    ]
