"""What a transaction did for one account, as one claim: what it gained and lost by the metadata, and the fee by itself.

What lies in the account's own escrows and channels is still its own until it is paid out, so putting it there is two legs that
add up to nothing. Legs always add up to what the account's entries gained and lost, whatever the transaction's type.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.xrpl_chains import XRP_DECIMALS, XrplChain
from omnifolio.model.amounts import EXACT, ZERO, from_units
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.xrpl.changes import COIN, Change, Unread, changes_of, gained
from omnifolio.venues.xrpl.shapes import Row, drops

FEE = "fee"
_SUCCESS = "tes"


class Subject(Struct, frozen=True):
    """An account on a ledger."""

    chain: XrplChain
    address: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"


class Moved(Struct, frozen=True):
    """A transaction as one claim (None: it moved nothing of the account), its tokens, and whether something cannot be told."""

    claim: Claim | None
    tokens: tuple[TokenFacts, ...] = ()
    is_partly_unread: bool = False


def moved(subject: Subject, row: Row, *, evidence: int | None = None) -> Moved:
    """What a line of the history says of the account. Raises: VenueBadResponse."""
    chain, sent = subject.chain, row.sent
    found = list(changes_of(chain, row.meta.affected_nodes))
    changes = [change for change in found if isinstance(change, Change)]
    is_partly_unread = any(isinstance(one, Unread) and one.account == subject.address for one in found)
    payer = sent.delegate or sent.account
    # Where the payer's coins have not changed, somebody else has paid for him.
    is_paid = any(change.account == payer and change.key == COIN for change in changes)
    fee = from_units(drops(sent.fee), XRP_DECIMALS) if is_paid else ZERO
    if fee:
        changes = [_without_fee(change, fee) if change.account == payer and change.key == COIN else change for change in changes]
    own = [change for change in changes if change.account == subject.address and change.amount]
    legs = [
        Leg(change.key, subject.wallet, change.token.id, change.amount, "principal", _other(subject, changes, change))
        for change in own
    ]
    kind = _kind(legs)
    if payer == subject.address and fee:
        legs.append(Leg(FEE, subject.wallet, chain.native.id, -fee, "fee"))
    if not legs:
        return Moved(None, is_partly_unread=is_partly_unread)
    event = f"{chain.caip2}:{row.name}"
    claim = Claim(
        book="chain",
        ref=row.name,
        refs=(f"tx:{event}",),
        name=row.name,
        at=row.at,
        kind=kind,
        label=sent.transaction_type,
        legs=tuple(legs),
        status="confirmed" if row.meta.transaction_result.startswith(_SUCCESS) else "failed",
        confirmed_at=row.at,
        event=event,
        height=row.height,
        block_hash=row.ledger_hash or None,
        evidence=evidence,
    )
    tokens = {chain.native.id: chain.native} | {change.token.id: change.token for change in own}
    return Moved(claim, tuple(tokens.values()), is_partly_unread)


def _without_fee(change: Change, fee: Decimal) -> Change:
    return Change(change.account, change.key, change.token, EXACT.add(change.amount, fee), change.other)


def _other(subject: Subject, changes: Sequence[Change], change: Change) -> str | None:
    """Who gave or got it: the one who lost or gained as much, else the only one on the other side but for the issuer, else the
    other end of the entry."""
    if change.key.startswith("owed"):
        return change.other or None
    theirs = {who: amount for who, amount in gained(changes, change.token).items() if who != subject.address}
    exact = [who for who, amount in theirs.items() if amount == -change.amount]
    opposite = [who for who, amount in theirs.items() if amount * change.amount < 0]
    others = [who for who in opposite if who != change.other]
    return next((found[0] for found in (exact, others, opposite) if len(found) == 1), change.other or None)


def _kind(legs: Sequence[Leg]) -> Kind:
    """Only in, only out, one token for another, from one place of its own to another, or something else."""
    net: dict[TokenId, Decimal] = {}
    for leg in legs:
        net[leg.token] = EXACT.add(net.get(leg.token, ZERO), leg.amount)
    received, sent = (sum(amount * sign > 0 for amount in net.values()) for sign in (1, -1))
    if not (received or sent):
        return "transfer" if legs else "fee"
    if not (received and sent):
        return "deposit" if received else "withdrawal"
    return "trade" if received == sent == 1 else "other"
