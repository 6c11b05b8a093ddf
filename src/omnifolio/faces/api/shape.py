"""From views to the wire: names, signs, rounding. Values are rounded here and nowhere before, half to even at two places."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, cast

import msgspec
from msgspec import UNSET

from omnifolio.app.offers import UNPROVEN_NOTICE, Field, Offer, Offers
from omnifolio.app.read import OrderPage
from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.problems import by_code
from omnifolio.faces.api.wire import (
    AccountErrorOut,
    AccountOut,
    BalanceOut,
    CoverageOut,
    FeaturesOut,
    FeeOut,
    GapOut,
    HistoryOut,
    InstructionsOut,
    MissingOut,
    OrderMiscOut,
    OrderOut,
    PartOut,
    PermissionOut,
    ProviderOut,
    StatusDetailsOut,
    TransactionMiscOut,
    TransactionOut,
    WalletOut,
)
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.orders import StoredOrder
from omnifolio.ledger.read import StoredLeg, StoredTransaction, WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.amounts import ZERO, canonical, divide, money
from omnifolio.model.clock import DAY_MS, EpochMs, start_of_day
from omnifolio.model.errors import VenueError
from omnifolio.model.ids import WireIds
from omnifolio.model.prices import Unpriced
from omnifolio.model.tokens import TokenId, contract_of, venue_of
from omnifolio.views.accounts import AccountView, Holding
from omnifolio.views.history import HistoryRow
from omnifolio.views.transactions import TransactionPage, TransactionView
from omnifolio.views.valuation import Part, Total, Value

PRICE_PLACES = 12
"""Decimals of an average price, the only quotient on the wire."""
DAYS_OF_HISTORY_ID = 100_000
"""A history row's integer is its wallet's, times this, plus the day's number since 1970."""
FACES_MAX = 100_000
_LEG_ID_BYTES = 12
_STAKED = "staked"
_ERRORS = by_code()


def total_text(total: Total) -> str | None:
    """A total as money; null when not one part of it has a value."""
    return None if total.missing and not total.amount else money(total.amount)


def named(parts: Iterable[Part]) -> list[MissingOut]:
    """What is missing or stale in a total."""
    return [MissingOut(ticker=part.name, reason=part.text) for part in parts]


def number(value: Decimal) -> float:
    """A JSON number with all its digits and without exponent; typed as the number that readers will make of it."""
    return cast("float", msgspec.Raw(canonical(value).encode()))


class _Face(NamedTuple):
    """What a balance shows of its token: the first fields of `BalanceOut`."""

    resource_type: Literal["balance"]
    ticker: str
    provider_ticker: str
    provider_ticker_name: str
    address: str | None
    name: str
    asset_type: str
    decimals: int | None
    is_verified: bool
    asset_id: str
    logo: str | None


class _Coin(NamedTuple):
    """What a part or fee shows of its token: the first fields of `PartOut` and `FeeOut`."""

    ticker: str
    provider_ticker: str
    address: str | None
    is_verified: bool
    asset_id: str


class Shape:
    """Turns views into the objects of the wire, with this installation's ids, venues and assets."""

    def __init__(self, ids: WireIds, offers: Offers, assets: Assets, *, currencies: Sequence[str]) -> None:
        self._ids, self._assets = ids, assets
        self.providers = {offer.name: _provider(offer, currencies) for offer in offers.all}
        self.offers = offers
        self._faces: dict[tuple[int, str], _Face] = {}
        self._day = 0

    # Accounts ------------------------------------------------------------------------------------------------------

    def account(self, view: AccountView, *, now: EpochMs) -> AccountOut:
        """An account with its wallets and balances."""
        account = view.account
        wallets = {purse.id: wallet_id(account.venue, purse) for purse in view.wallets}
        fiat = view.total.currency
        return AccountOut(
            id=self._ids.wire("account", account.id),
            name=account.name,
            blockchain=_blockchain(account, view.wallets),
            created_at=account.created_at,
            updated_at=account.updated_at,
            status=account.status,
            status_details=StatusDetailsOut(**account.progress) if account.progress else UNSET,
            error=_account_error(account),
            fiat_value=total_text(view.total),
            fiat_ticker=fiat,
            complete=view.total.complete,
            missing=named(view.total.missing),
            stale=named(view.total.stale),
            provider=self.provider(account.venue),
            wallets=[
                WalletOut(
                    id=wallets[purse.id],
                    name=purse.name,
                    address=purse.address,
                    fiat_value=total_text(view.wallet_totals[purse.id]),
                    fiat_ticker=fiat,
                    complete=view.wallet_totals[purse.id].complete,
                    is_reconciled=purse.id in view.reconciled,
                )
                for purse in view.wallets
            ],
            balances=[self._balance(holding, wallets[holding.held.wallet], fiat, now) for holding in view.holdings],
            v=account.v,
            authorized=_error_name(account) != "LoginFailedError",
            permission=None
            if account.certificate is None
            else PermissionOut(
                state=account.certificate.state,
                excess=list(account.certificate.excess),
                missing=list(account.certificate.missing),
                checked_at=account.certificate.checked_at,
            ),
            key_hint=account.key_hint,
            synced_at=account.synced_at,
            next_sync_at=account.next_sync_at,
            coverage=CoverageOut(complete_from=view.complete_from, complete_to=view.complete_to, gaps=len(view.gaps)),
            gaps=[gap_out(gap) for gap in view.gaps],
        )

    def provider(self, venue: str) -> ProviderOut:
        """The provider of an account; one that is no longer offered is shown as listed only."""
        found = self.providers.get(venue)
        if found is None:
            gone = Offer(
                name=venue, display_name=venue, category="exchanges", auth_type="token", fields=(), identity=(), proof="listed"
            )
            found = self.providers[venue] = _provider(gone, ())
        return found

    def _balance(self, holding: Holding, wallet: str, fiat: str, now: EpochMs) -> BalanceOut:
        held, value = holding.held, holding.value
        face = self._faces.get((held.token, held.product))
        if face is None:
            face = self._face(holding.token, held.product, now)
        if isinstance(value, Unpriced):
            worth, price, source, reason, is_stale = None, None, None, value.text, False
        elif value.price is None:
            worth, price, source, reason, is_stale = money(value.amount), None, "par", None, False
        else:
            worth, reason = money(value.amount), None
            price, source, is_stale = canonical(value.price.price), value.price.source, value.price.is_stale
        return BalanceOut(
            *face,
            held.product,
            held.text,
            worth,
            fiat,
            face.is_verified and worth is not None,
            held.last_seen,
            wallet,
            None,
            held.is_suspect,
            price,
            source,
            reason,
            is_stale,
        )

    def _face(self, token: TokenRow, product: str, now: EpochMs) -> "_Face":
        """What a balance shows of its token, kept for the day: which asset a token is may change from one day to the next."""
        today = now // DAY_MS
        if today != self._day or len(self._faces) >= FACES_MAX:
            self._day, self._faces = today, {}
        raw = raw_code(token)
        face = self._faces[token.number, product] = _Face(
            resource_type="balance",
            ticker=token.ticker,
            provider_ticker=f"{raw}.staked" if product == _STAKED else raw,
            provider_ticker_name=token.name or token.ticker,
            address=contract_of(token.id),
            name=token.name or token.ticker,
            asset_type=_asset_type(token, product),
            decimals=token.decimals,
            is_verified=self.is_verified(token, now),
            asset_id=token.id,
            logo=None,
        )
        return face

    def is_verified(self, token: TokenRow, at: EpochMs) -> bool:
        """Whether the token is reviewed: government money, or a member of an asset of the catalog."""
        return token.kind == "fiat" or self._assets.of(token.id, at) is not None

    # Transactions --------------------------------------------------------------------------------------------------

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
            finality=event.finality,
            v=event.seq,
        )

    def _coin(self, token: TokenRow, at: EpochMs) -> _Coin:
        return _Coin(token.ticker, raw_code(token), contract_of(token.id), self.is_verified(token, at), token.id)

    def _part(self, leg: StoredLeg, event: StoredTransaction, value: Value, page: TransactionPage, venue: str) -> PartOut:
        coin, purse = self._coin(page.tokens[leg.token], event.at), page.wallets[leg.wallet]
        is_received = leg.amount > 0
        worth, source, reason = _worth(value)
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
            None,
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

    # History and orders ----------------------------------------------------------------------------------------------

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


def wallet_id(venue: str, purse: WalletRow) -> str:
    """A wallet on the wire: `kraken:spot`; a chain address is its own CAIP-10 name."""
    return purse.key if ":" in purse.key else f"{venue}:{purse.key}"


def wallet_key(text: str, venues: Iterable[str]) -> str:
    """The key of a wallet that the wire names: `kraken:spot` and `spot` both mean the wallet `spot`."""
    venue, _, rest = text.partition(":")
    return rest if rest and venue in venues else text


def raw_code(token: TokenRow) -> str:
    """What the venue itself calls the token; on chains its ticker."""
    return token.id.partition("/")[2] if token.id.startswith("venue:") else token.ticker


def leg_id(event: int, key: str) -> str:
    """24 hexadecimal digits that name a leg for as long as its transaction lives."""
    return blake2b(f"{event}/{key}".encode(), digest_size=_LEG_ID_BYTES).hexdigest()


def gap_out(gap: StoredGap) -> GapOut:
    """A gap on the wire."""
    return GapOut(
        stream=gap.stream,
        code=gap.code,
        text=gap.text,
        start=gap.start,
        end=gap.end,
        is_failure=gap.is_failure,
        since=gap.opened_at,
    )


def _worth(value: Value, *, is_paid: bool = False) -> tuple[str | None, str | None, str | None]:
    """Value, source and reason of a leg: unsigned for parts, as a cost for fees."""
    if isinstance(value, Unpriced):
        return None, None, value.text
    worth = money(-value.amount if is_paid else abs(value.amount))
    return worth, "par" if value.price is None else value.price.source, None


def _asset_type(token: TokenRow, product: str) -> str:
    if token.kind == "fiat":
        return "cash" if token.ticker == "USD" else "cash_equivalent"
    if token.kind == "nft":
        return "nft"
    return _STAKED if product == _STAKED else "crypto"


def _blockchain(account: Account, wallets: Sequence[WalletRow]) -> str | None:
    """The CAIP-2 id of the chain that an account's addresses are on; null for exchanges and for several chains."""
    chains = {purse.key.rpartition(":")[0] for purse in wallets if purse.address is not None and purse.key.count(":") == 2}
    return account.fields.get("chain") or (chains.pop() if len(chains) == 1 else None)


def _error_name(account: Account) -> str | None:
    if account.error_code is None:
        return None
    return _ERRORS.get(account.error_code, VenueError).vezgo or "UnhandledConnectorError"


def _account_error(account: Account) -> AccountErrorOut | None:
    name = _error_name(account)
    if name is None or account.error_code is None:
        return None
    kind = _ERRORS.get(account.error_code, VenueError)
    return AccountErrorOut(
        name=name,
        message=account.error_text or kind().message,
        code=account.error_code,
        cause=kind().message,
        action=kind.action,
        docs_url=kind().docs_url,
    )


def _provider(offer: Offer, currencies: Sequence[str]) -> ProviderOut:
    scopes = ["balances", "transactions"] if offer.has_history else ["balances"]
    return ProviderOut(
        name=offer.name,
        display_name=offer.display_name,
        alternate_names=list(offer.alternate_names) or None,
        logo=None,
        type=_TYPES[offer.category],
        category=offer.category,
        categories=[offer.category],
        auth_type=offer.auth_type,
        scopes=scopes,
        available_scopes=scopes,
        available_currencies=list(currencies),
        status="ok" if offer.proof != "listed" else "unavailable",
        is_beta=offer.is_beta,
        connect_notice=UNPROVEN_NOTICE if offer.is_beta else None,
        credentials=[field.name for field in offer.fields],
        instructions=InstructionsOut(en=offer.instructions, fr=offer.instructions),
        misc={field.name: _field(field) for field in offer.fields},
        features=FeaturesOut(account=True, positions=False, transactions=offer.has_history, nfts=False, streaming=False),
        proof=offer.proof,
    )


_TYPES: Mapping[str, Literal["exchange", "wallet", "blockchain"]] = {
    "exchanges": "exchange",
    "wallets": "wallet",
    "blockchains": "blockchain",
}


def _field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"label": {"en": field.label}, "secret": field.is_secret, "required": field.is_required}
    if field.pattern:
        shown["pattern"] = field.pattern
    if field.hint:
        shown["hint"] = {"en": field.hint}
    return shown
