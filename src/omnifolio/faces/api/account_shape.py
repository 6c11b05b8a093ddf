"""Accounts, wallets and balances on the wire. Values are rounded here and nowhere before, half to even at two places."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import UNSET

from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.problems import by_code
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.api.shape import is_verified, named, raw_code, total_text, wallet_id
from omnifolio.faces.api.wire import (
    AccountErrorOut,
    AccountOut,
    BalanceOut,
    CoverageOut,
    GapOut,
    PermissionOut,
    StatusDetailsOut,
    WalletOut,
)
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.read import WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.amounts import canonical, money
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import VenueError
from omnifolio.model.ids import WireIds
from omnifolio.model.prices import Unpriced
from omnifolio.model.tokens import contract_of
from omnifolio.views.accounts import AccountView, Holding

FACES_MAX = 100_000
"""Tokens whose appearance in a balance is kept."""
_STAKED = "staked"
_ERRORS = by_code()


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


class AccountShape:
    """Turns views of accounts into the objects of the wire, with this installation's ids, providers and assets."""

    def __init__(self, ids: WireIds, providers: Providers, assets: Assets) -> None:
        self._ids, self._providers, self._assets = ids, providers, assets
        self._faces: dict[tuple[int, str], _Face] = {}
        self._day = 0

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
            provider=self._providers.of_venue(account.venue),
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
            is_verified=is_verified(token, self._assets, now),
            asset_id=token.id,
            logo=None,
        )
        return face


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
