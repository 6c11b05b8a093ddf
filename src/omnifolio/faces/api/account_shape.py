"""Accounts and wallets on the wire. Their totals are rounded here and nowhere before, half to even at two places."""

from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import UNSET

from omnifolio.app.brands import BRAND
from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.balance_shape import BalanceShape
from omnifolio.faces.api.position_shape import position_out
from omnifolio.faces.api.problems import by_code
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.api.shape import named, spam_reasons, total_text, wallet_id
from omnifolio.faces.api.wire import (
    AccountErrorOut,
    AccountOut,
    BalanceOut,
    CoverageOut,
    GapOut,
    HiddenOut,
    KeyChangeOut,
    ListeningOut,
    PermissionOut,
    StatusDetailsOut,
    WalletOut,
    WarningOut,
)
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.read import WalletRow
from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueError
from omnifolio.model.ids import WalletId, WireIds
from omnifolio.model.tokens import contract_of
from omnifolio.views.accounts import AccountView, Hidden, Pocket
from omnifolio.views.coverage import Loss

_ERRORS = by_code()


class AccountShape:
    """Turns views of accounts into the objects of the wire, with this installation's ids, providers and assets."""

    def __init__(self, ids: WireIds, providers: Providers, assets: Assets) -> None:
        self._ids, self._providers, self._balances = ids, providers, BalanceShape(assets)

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
            provider=self._providers.of_venue(account.fields.get(BRAND, account.venue)),
            wallets=[wallet_out(view, purse) for purse in view.wallets],
            balances=self.balances(view.pockets, wallets, now=now),
            hidden=[hidden_out(item, wallets[item.held.wallet]) for item in view.hidden],
            positions=[
                position_out(
                    item, account=self._ids.wire("account", account.id), venue=account.venue, wallet=wallets[item.held.wallet]
                )
                for item in view.positions
            ],
            v=account.v,
            authorized=_error_name(account) != "LoginFailedError",
            permission=None if account.certificate is None else _permission(account.certificate),
            key_hint=account.key_hint,
            synced_at=account.synced_at,
            next_sync_at=account.next_sync_at,
            live=_live(account),
            coverage=CoverageOut(complete_from=view.complete_from, complete_to=view.complete_to, gaps=len(view.gaps)),
            gaps=[gap_out(gap) for gap in view.gaps],
            warnings=[warning_out(loss) for loss in view.losses],
        )

    def balances(self, pockets: Sequence[Pocket], wallets: Mapping[WalletId, str], *, now: EpochMs) -> list[BalanceOut]:
        """The balances of wallets that the wire names so.

        Encoded already: to the encoder it is one value, to a reader of the wire's description a list of balances.
        """
        return cast("list[BalanceOut]", self._balances.balances(pockets, wallets, now=now))


def wallet_out(view: AccountView, purse: WalletRow) -> WalletOut:
    """A wallet of an account."""
    total = view.wallet_totals[purse.id]
    return WalletOut(
        id=wallet_id(view.account.venue, purse),
        name=purse.name,
        address=purse.address,
        fiat_value=total_text(total),
        fiat_ticker=view.total.currency,
        complete=total.complete,
        is_reconciled=purse.id in view.reconciled,
    )


def hidden_out(item: Hidden, wallet: str) -> HiddenOut:
    """A balance that is spam, in a wallet that the wire names so."""
    return HiddenOut(
        ticker=item.token.ticker,
        name=item.token.name,
        ticker_address=contract_of(item.token.id),
        asset_id=item.token.id,
        wallet=wallet,
        product=item.held.product,
        amount=item.held.text,
        reasons=spam_reasons(item.reasons),
    )


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


def warning_out(loss: Loss) -> WarningOut:
    """A loss that is announced, on the wire."""
    return WarningOut(
        stream=loss.stream,
        text=loss.text,
        look_back_ms=loss.look_back_ms,
        unread_from=loss.unread_from,
        lost_from=loss.lost_from,
    )


def _permission(found: Certificate) -> PermissionOut:
    return PermissionOut(
        state=found.state,
        method=found.method,
        rights=list(found.rights),
        excess=list(found.excess),
        switches=list(found.switches),
        missing=list(found.missing),
        ip_restricted=found.ip_restricted,
        expires_at=found.expires_at,
        checked_at=found.checked_at,
        changes=[KeyChangeOut(at=change.at, code=change.code, text=change.text) for change in found.changes],
    )


def _blockchain(account: Account, wallets: Sequence[WalletRow]) -> str | None:
    """The CAIP-2 id of the chain that an account's addresses are on; null for exchanges and for several chains."""
    chains = {purse.key.rpartition(":")[0] for purse in wallets if purse.address is not None and purse.key.count(":") == 2}
    return account.fields.get("chain") or (chains.pop() if len(chains) == 1 else None)


def _live(account: Account) -> ListeningOut | None:
    """How the account's private stream is heard; null where there is none, or nobody has listened yet."""
    if account.live_since is None and account.live_heard_at is None and account.live_problem is None:
        return None
    return ListeningOut(since=account.live_since, heard_at=account.live_heard_at, problem=account.live_problem)


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
