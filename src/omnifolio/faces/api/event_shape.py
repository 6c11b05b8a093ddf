"""Transactions, orders and daily history on the wire: unsigned parts with their direction, fees, and values as of the event."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import UNSET

from omnifolio.app.read import OrderPage
from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.shape import is_verified, named, raw_code, spam_reasons, total_text, wallet_id
from omnifolio.faces.api.wire import (
    FeeOut,
    HistoryOut,
    OrderMiscOut,
    OrderOut,
    PartOut,
    SideOut,
    TieOut,
    TransactionMiscOut,
    TransactionOut,
    TransferOut,
)
from omnifolio.ledger.orders import StoredOrder
from omnifolio.ledger.read import StoredLeg, StoredTransaction
from omnifolio.ledger.tokens import TokenRow
from omnifolio.ledger.transfers import Transfer
from omnifolio.model.amounts import ZERO, canonical, divide, money
from omnifolio.model.clock import EpochMs, start_of_day
from omnifolio.model.ids import WireIds
from omnifolio.model.prices import Unpriced
from omnifolio.model.tokens import TokenId, contract_of, venue_of
from omnifolio.views.history import HistoryRow
from omnifolio.views.transactions import TransactionPage, TransactionView
from omnifolio.views.transfers import SideView, TransferView, confidence_text
from omnifolio.views.valuation import Value

PRICE_PLACES = 12
"""Decimals of an average price, the only quotient on the wire."""
DAYS_OF_HISTORY_ID = 100_000
"""A history row's integer is its wallet's, times this, plus the day's number since 1970."""
_LEG_ID_BYTES = 12


class _Coin(NamedTuple):
    """What a part or fee shows of its token: the first fields of `PartOut` and `FeeOut`."""

    ticker: str
    provider_ticker: str
    address: str | None
    is_verified: bool
    asset_id: str


class EventShape:
    """Turns views of what happened into the objects of the wire, with this installation's ids and assets."""

    def __init__(self, ids: WireIds, assets: Assets) -> None:
        self._ids, self._assets = ids, assets

    def transactions(self, page: TransactionPage) -> list[TransactionOut]:
        """A page of transactions."""
        return [self._transaction(row, page, page.venues[row.transaction.account]) for row in page.rows]

    def _transaction(self, row: TransactionView, page: TransactionPage, venue: str) -> TransactionOut:
        event = row.transaction
        principals = [leg for leg in event.legs if leg.role == "principal"]
        fees = [leg for leg in event.legs if leg.role == "fee"]
        parts = [self._part(leg, event, row.values[leg.key], page, venue) for leg in principals]
        places: dict[tuple[int, int], list[str]] = {}
        for leg, part in zip(principals, parts, strict=True):
            places.setdefault((leg.wallet, leg.token), []).append(part.id)
        tokens = {leg.token for leg in principals}
        is_swap = event.type == "trade" and len(tokens) > 1 and event.event is not None
        return TransactionOut(
            id=self._ids.wire("transaction", event.id),
            status=cast("Any", event.status),
            transaction_type=event.type,
            transaction_subtype=event.subtype,
            transaction_hash=None if event.event is None else event.event.rpartition(":")[2],
            fiat_calculated_at=event.at,
            initiated_at=event.at,
            confirmed_at=event.confirmed_at or (event.at if event.status == "confirmed" else None),
            wallet=wallet_id(venue, page.wallets[(principals or fees)[0].wallet]) if event.legs else None,
            account=self._ids.wire("account", event.account),
            misc=TransactionMiscOut(
                origin_id=event.name,
                origin_type=event.label,
                is_swap=True if is_swap else UNSET,
                incomplete=["fiat_value"] if any(isinstance(v, Unpriced) for v in row.values.values()) else [],
            ),
            parts=parts,
            fees=[
                self._fee(leg, event, row.values[leg.key], page, venue=venue, beside=places.get((leg.wallet, leg.token), ()))
                for leg in fees
            ],
            is_spam=row.spam.is_spam,
            spam_reasons=spam_reasons(row.spam.reasons if row.spam.is_spam else ()),
            transfers=[self._tie(tie, event.id, page) for tie in row.transfers],
            label=row.label,
            note=row.note,
            finality=event.finality,
            v=event.seq,
        )

    def _tie(self, tie: Transfer, here: int, page: TransactionPage) -> TieOut:
        is_sent = tie.source.transaction == here
        mine, other = (tie.source, tie.target) if is_sent else (tie.target, tie.source)
        return TieOut(
            part=leg_id(here, mine.key),
            direction="sent" if is_sent else "received",
            account=self._ids.wire("account", other.account),
            provider=page.venues[other.account],
            transaction=self._ids.wire("transaction", other.transaction),
            evidence=list(tie.evidence),
            confidence=confidence_text(tie.confidence),
        )

    def transfers(self, found: Sequence[TransferView]) -> list[TransferOut]:
        """Transfers with both their sides."""
        return [
            TransferOut(
                state=item.told.state,
                source=self._side(item.source),
                target=self._side(item.target),
                evidence=list(item.told.evidence),
                confidence=confidence_text(item.told.confidence),
                lost=None if item.lost is None else canonical(item.lost),
            )
            for item in found
        ]

    def _side(self, side: SideView) -> SideOut:
        return SideOut(
            account=self._ids.wire("account", side.account),
            provider=side.venue,
            transaction=self._ids.wire("transaction", side.transaction),
            wallet=wallet_id(side.venue, side.wallet),
            ticker=side.token.ticker,
            asset_id=side.token.id,
            amount=canonical(side.amount),
            at=side.at,
        )

    def _coin(self, token: TokenRow, at: EpochMs) -> _Coin:
        return _Coin(token.ticker, raw_code(token), contract_of(token.id), is_verified(token, self._assets, at), token.id)

    def _part(self, leg: StoredLeg, event: StoredTransaction, value: Value, page: TransactionPage, venue: str) -> PartOut:
        coin, purse = self._coin(page.tokens[leg.token], event.at), page.wallets[leg.wallet]
        is_received = leg.amount > 0
        worth, source, reason = _worth(value)
        label = None if leg.counterparty is None else page.labels.get(leg.counterparty)
        return PartOut(
            *coin,
            leg_id(event.id, leg.key),
            "received" if is_received else "sent",
            canonical(abs(leg.amount)),
            page.currency,
            worth,
            coin.is_verified and worth is not None,
            source,
            reason,
            wallet_id(venue, purse),
            leg.counterparty if is_received else purse.address,
            purse.address if is_received else leg.counterparty,
            [] if leg.counterparty is None else [leg.counterparty],
            None if label is None else {"label": label},
        )

    def _fee(
        self,
        leg: StoredLeg,
        event: StoredTransaction,
        value: Value,
        page: TransactionPage,
        *,
        venue: str,
        beside: Sequence[str],
    ) -> FeeOut:
        """A fee; `beside` are the parts that moved the same token in the same wallet."""
        coin, purse = self._coin(page.tokens[leg.token], event.at), page.wallets[leg.wallet]
        worth, source, reason = _worth(value, is_paid=True)
        return FeeOut(
            *coin,
            beside[0] if len(beside) == 1 else leg_id(event.id, leg.key),
            "transaction_fee",
            "network" if venue_of(page.tokens[leg.token].id) is None else "exchange",
            canonical(-leg.amount),
            page.currency,
            worth,
            coin.is_verified and worth is not None,
            source,
            reason,
            wallet_id(venue, purse),
            None,
        )

    def history(self, rows: Sequence[HistoryRow], venue: str) -> list[HistoryOut]:
        """Rows of a daily history."""
        return [
            HistoryOut(
                id=self._ids.wire("history", row.wallet.id * DAYS_OF_HISTORY_ID + row.day.toordinal()),
                date=start_of_day(row.day),
                wallet=wallet_id(venue, row.wallet),
                fiat_ticker=row.total.currency,
                fiat_value=total_text(row.total),
                fiat_source=row.source,
                complete=row.total.complete,
                missing=named(row.total.missing),
            )
            for row in rows
        ]

    def orders(self, page: OrderPage, *, account: int) -> list[OrderOut]:
        """Orders of one account."""
        return [self._order(row, page.tokens, account=account, venue=page.venue) for row in page.orders]

    def _order(self, row: StoredOrder, tokens: Mapping[TokenId, TokenRow], *, account: int, venue: str) -> OrderOut:
        order = row.order
        is_filled = order.filled_quantity != ZERO
        average = divide(order.filled_price, order.filled_quantity, places=PRICE_PLACES) if is_filled else None
        return OrderOut(
            id=self._ids.wire("order", row.id),
            account=self._ids.wire("account", account),
            wallet=f"{venue}:{order.wallet}",
            order_id=order.ref,
            order_status=order.status,
            type=order.type,
            time_in_force=order.time_in_force,
            side=order.side,
            base_ticker=tokens[order.base].ticker,
            quote_ticker=tokens[order.quote].ticker,
            order_quantity=number(order.quantity),
            order_price=None if order.price is None else number(order.price),
            filled_price=number(order.filled_price),
            filled_quantity=number(order.filled_quantity),
            average_execution_price=None if average is None else number(average),
            order_creation_time=order.created_at,
            updated_at=order.updated_at,
            misc=OrderMiscOut(base_asset_id=order.base, quote_asset_id=order.quote),
        )


def leg_id(event: int, key: str) -> str:
    """24 hexadecimal digits that name a leg for as long as its transaction lives."""
    return blake2b(f"{event}/{key}".encode(), digest_size=_LEG_ID_BYTES).hexdigest()


def number(value: Decimal) -> float:
    """A JSON number with all its digits and without exponent; typed as the number that readers will make of it."""
    return cast("float", msgspec.Raw(canonical(value).encode()))


def _worth(value: Value, *, is_paid: bool = False) -> tuple[str | None, str | None, str | None]:
    """Value, source and reason of a leg: unsigned for parts, as a cost for fees."""
    if isinstance(value, Unpriced):
        return None, None, value.text
    worth = money(-value.amount if is_paid else abs(value.amount))
    return worth, "par" if value.price is None else value.price.source, None
