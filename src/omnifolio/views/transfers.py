"""Transfers between a user's own wallets with both their sides: where from, where to, what came, and what stayed on the way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import read, transfers
from omnifolio.ledger.read import WalletRow
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.ledger.transfers import Side, Transfer
from omnifolio.meaning.transfers import State
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import ZERO, canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId


def confidence_text(thousandths: int) -> str:
    """A confidence as people read it: 985 is "0.985"."""
    return canonical(Decimal(thousandths).scaleb(-3))


class SideView(Struct, frozen=True, kw_only=True):
    """One side: which leg of which transaction, where, when and how much (positive)."""

    account: AccountId
    venue: str
    transaction: TransactionId
    wallet: WalletRow
    token: TokenRow
    amount: Decimal
    at: EpochMs


class TransferView(Struct, frozen=True, kw_only=True):
    """A transfer. `lost` is what left and did not arrive; None where it arrived in parts or together with another."""

    told: Transfer
    source: SideView
    target: SideView
    lost: Decimal | None


def transfer_page(conn: Connection, principal: Principal, *, state: State, before: EpochMs, limit: int) -> list[TransferView]:
    """Transfers of a state that left before an instant, the newest first."""
    found = transfers.page(conn, principal, state=state, before=before, limit=limit)
    numbers = list(dict.fromkeys(side.transaction for item in found for side in (item.source, item.target)))
    rows = {row.id: row for row in read.by_ids(conn, principal, numbers)}
    wallets = {purse.id: purse for purse in read.wallets_of(conn, principal)}
    venues = read.venues_of(conn, principal)
    tokens = by_number(conn, {leg.token for row in rows.values() for leg in row.legs})

    def side(of: Side) -> SideView:
        row = rows[of.transaction]
        leg = next(leg for leg in row.legs if leg.key == of.key)
        return SideView(
            account=of.account,
            venue=venues[of.account],
            transaction=of.transaction,
            wallet=wallets[leg.wallet],
            token=tokens[leg.token],
            amount=abs(leg.amount),
            at=row.at,
        )

    shared = _shared(transfers.of_transactions(conn, principal, numbers))
    made = []
    for item in found:
        source, target = side(item.source), side(item.target)
        lost = source.amount - target.amount
        is_whole = item.source not in shared and item.target not in shared and lost >= ZERO
        made.append(TransferView(told=item, source=source, target=target, lost=lost if is_whole else None))
    return made


def _shared(of: Mapping[TransactionId, Sequence[Transfer]]) -> set[Side]:
    """The legs that are a side of more than one link."""
    every = {(item.source, item.target) for items in of.values() for item in items}
    return {side for side, count in Counter(side for pair in every for side in pair).items() if count > 1}
