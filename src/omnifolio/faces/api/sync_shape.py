"""What a replica is told, on the wire: the objects of the other routes, sorted into new, changed and gone ones."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import structs

from omnifolio.app.replicating import ReplicaPage
from omnifolio.faces.api.account_shape import hidden_out, wallet_out
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.position_shape import position_out
from omnifolio.faces.api.shape import wallet_id
from omnifolio.faces.api.wire import (
    GoneAccountOut,
    GoneTransactionOut,
    SyncAccountOut,
    SyncBalancesOut,
    SyncOut,
    SyncPositionsOut,
    SyncRemovedOut,
    SyncRowsOut,
    SyncWalletOut,
)
from omnifolio.ledger.replica import Told
from omnifolio.model.ids import WalletId
from omnifolio.views.accounts import AccountView

_ACCOUNT_FIELDS = tuple(field.name for field in msgspec.structs.fields(SyncAccountOut))


class _Sorted(NamedTuple):
    """Where new rows go, and where those that were there before."""

    added: SyncRowsOut
    modified: SyncRowsOut

    def of(self, *, is_new: bool) -> SyncRowsOut:
        return self.added if is_new else self.modified


def sync_out(desk: Desk, page: ReplicaPage, *, request_id: str) -> SyncOut:
    """The whole answer."""
    ids, told = desk.context.ids, page.told
    rows = _Sorted(_empty(), _empty())
    for view in page.views:
        _sort_account(desk, page, view, rows)
    for row, shown in zip(page.transactions.rows, desk.events.transactions(page.transactions), strict=True):
        rows.of(is_new=told.transactions[row.transaction.id]).transactions.append(shown)
    return SyncOut(
        added=rows.added,
        modified=rows.modified,
        removed=SyncRemovedOut(
            accounts=[GoneAccountOut(id=ids.wire("account", number)) for number in told.closed],
            transactions=[
                GoneTransactionOut(
                    id=ids.wire("transaction", grave.id),
                    account=ids.wire("account", grave.account),
                    leads_to=None if grave.leads_to is None else ids.wire("transaction", grave.leads_to),
                )
                for grave in told.graves
            ],
        ),
        next_cursor=page.cursor,
        has_more=told.has_more,
        is_reset=told.is_reset,
        status="syncing" if page.is_syncing else "ok",
        fiat_ticker=page.transactions.currency,
        at=page.at,
        v=told.seq,
        request_id=request_id,
    )


def _empty() -> SyncRowsOut:
    return SyncRowsOut(accounts=[], wallets=[], balances=[], positions=[], transactions=[])


def _sort_account(desk: Desk, page: ReplicaPage, view: AccountView, rows: _Sorted) -> None:
    """What of an account is told: itself, its wallets, their balances and positions."""
    told, number = page.told, view.account.id
    account = desk.context.ids.wire("account", number)
    if number in told.accounts:
        bare = desk.accounts.account(structs.replace(view, pockets=(), hidden=(), positions=()), now=page.at)
        fields = {name: getattr(bare, name) for name in _ACCOUNT_FIELDS}
        rows.of(is_new=told.accounts[number]).accounts.append(SyncAccountOut(**fields))
    wallets = {purse.id: wallet_id(view.account.venue, purse) for purse in view.wallets}
    for purse in view.wallets:
        if purse.id in told.wallets:
            shown = SyncWalletOut(account=account, **structs.asdict(wallet_out(view, purse)))
            rows.of(is_new=told.wallets[purse.id]).wallets.append(shown)
    for pocket in view.pockets:
        place = (pocket.look.wallet, pocket.look.product)
        if place in told.balances:
            wallet = wallets[pocket.look.wallet]
            rows.of(is_new=told.balances[place]).balances.append(
                SyncBalancesOut(
                    id=f"{account}/{wallet}/{pocket.look.product}",
                    account=account,
                    wallet=wallet,
                    product=pocket.look.product,
                    balances=desk.accounts.balances([pocket], wallets, now=page.at),
                    hidden=[hidden_out(item, wallet) for item in view.hidden if (item.held.wallet, item.held.product) == place],
                )
            )
    for place, shown_positions in _positions(told, view, account, wallets):
        rows.of(is_new=told.positions[place]).positions.append(shown_positions)


def _positions(
    told: Told, view: AccountView, account: str, wallets: dict[WalletId, str]
) -> Iterator[tuple[tuple[WalletId, str], SyncPositionsOut]]:
    for place in told.positions:
        wallet, scope = place
        if wallet not in wallets:
            continue  # another account's
        yield (
            place,
            SyncPositionsOut(
                id=f"{account}/{wallets[wallet]}/{scope}",
                account=account,
                wallet=wallets[wallet],
                scope=scope,
                positions=[
                    position_out(item, account=account, venue=view.account.venue, wallet=wallets[wallet])
                    for item in view.positions
                    if (item.held.wallet, item.held.scope) == place
                ],
            ),
        )
