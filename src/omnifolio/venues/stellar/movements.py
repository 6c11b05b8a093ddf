"""What an operation moved for one account, as one claim: its effects decide, whatever kind of operation it was.

A transaction is the sum of its operations' claims and of the claim for its fee, which share its name. What an account credits or
pays in an asset of its own is no movement: it makes and unmakes it. Where a path payment crosses offers, the sender's trades on
the way are in the two amounts of the payment already.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.stellar_chains import DECIMALS, StellarChain
from omnifolio.model.amounts import ZERO, from_units, total
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.stellar.shapes import AssetAmount, Effect, Operation, Transaction, amount_in, instant, ledger_of, whole
from omnifolio.venues.stellar.subject import Subject
from omnifolio.venues.stellar.tokens import shares_of, token_named, token_of

MOVING = frozenset(
    {"account_created", "account_credited", "account_debited", "trade", "liquidity_pool_deposited", "liquidity_pool_withdrew"}
)
"""Effects by which an account gains or loses something; all others change rights, entries or other accounts."""
PATHS = frozenset({"path_payment", "path_payment_strict_receive", "path_payment_strict_send"})
CREATION = "create_account"


class Moved(Struct, frozen=True):
    """A signed amount."""

    key: str
    token: TokenFacts
    amount: Decimal
    other: str | None


def claim_of(
    subject: Subject, operation: Operation, effects: Sequence[Effect], *, evidence: int | None
) -> tuple[Claim, tuple[TokenFacts, ...]] | None:
    """The operation as one claim of book `chain`, and the tokens that it names; None when it moved nothing of the account.

    Raises: VenueBadResponse.
    """
    moved = [
        item for effect in effects for item in _moved(subject, operation, effect) if item.amount and not _is_own(subject, item)
    ]
    if not moved:
        return None
    legs = tuple(Leg(item.key, subject.wallet, item.token.id, item.amount, "principal", item.other) for item in moved)
    at = instant(effects[0].created_at)
    claim = Claim(
        book="chain",
        ref=operation.id,
        refs=(f"tx:{event_of(subject.chain, operation.transaction_hash)}",),
        name=operation.transaction_hash,
        at=at,
        kind=_kind(legs),
        label=operation.type.replace("_", " "),
        legs=legs,
        confirmed_at=at,
        event=event_of(subject.chain, operation.transaction_hash),
        height=ledger_of(operation.number),
        evidence=evidence,
    )
    return claim, tuple({item.token.id: item.token for item in moved}.values())


def fee_of(subject: Subject, transaction: Transaction, *, evidence: int | None) -> Claim | None:
    """What the account paid for a transaction, also a failed one; None where another one paid. Raises: VenueBadResponse."""
    stroops = whole(transaction.fee_charged)
    if transaction.fee_account != subject.address or not stroops:
        return None
    event, at = event_of(subject.chain, transaction.hash), instant(transaction.created_at)
    leg = Leg("fee", subject.wallet, subject.chain.native.id, from_units(-stroops, DECIMALS), "fee")
    return Claim(
        book="chain",
        ref=f"{transaction.paging_token}:fee",
        refs=(f"tx:{event}",),
        name=transaction.hash,
        at=at,
        kind="fee",
        legs=(leg,),
        status="confirmed" if transaction.successful else "failed",
        confirmed_at=at,
        event=event,
        height=transaction.ledger,
        evidence=evidence,
    )


def event_of(chain: StellarChain, transaction: str) -> str:
    """The event's name for all accounts that it touches."""
    return f"{chain.caip2}:{transaction}"


def _moved(subject: Subject, operation: Operation, effect: Effect) -> Iterator[Moved]:
    chain, key = subject.chain, f"{operation.number & 0xFFF}.{effect.place}"
    if effect.type == "account_created":
        # A contract's payment that makes an account is told once more, as an amount that was credited.
        if operation.type == CREATION:
            yield Moved(key, chain.native, amount_in(effect.starting_balance), operation.funder or operation.source_account)
    elif effect.type in ("account_credited", "account_debited"):
        token = token_of(chain, kind=effect.asset_type, code=effect.asset_code, issuer=effect.asset_issuer)
        amount = amount_in(effect.amount)
        sign = 1 if effect.type == "account_credited" else -1
        yield Moved(key, token, sign * amount, _other(subject, operation, amount))
    elif effect.type == "trade":
        if operation.type not in PATHS or operation.source_account != subject.address:
            sold = token_of(chain, kind=effect.sold_asset_type, code=effect.sold_asset_code, issuer=effect.sold_asset_issuer)
            yield Moved(f"{key}.sold", sold, -amount_in(effect.sold_amount), effect.seller or None)
            bought = token_of(
                chain, kind=effect.bought_asset_type, code=effect.bought_asset_code, issuer=effect.bought_asset_issuer
            )
            yield Moved(f"{key}.bought", bought, amount_in(effect.bought_amount), effect.seller or None)
    elif effect.liquidity_pool is not None and effect.type in MOVING:
        shares = amount_in(effect.shares_received) - amount_in(effect.shares_redeemed)
        yield Moved(f"{key}.shares", shares_of(chain, effect.liquidity_pool), shares, None)
        for sign, reserves in ((-1, effect.reserves_deposited), (1, effect.reserves_received)):
            yield from _reserves(chain, key, sign, reserves)


def _reserves(chain: StellarChain, key: str, sign: int, reserves: Sequence[AssetAmount]) -> Iterator[Moved]:
    for place, reserve in enumerate(reserves):
        yield Moved(f"{key}.{place}", token_named(chain, reserve.asset), sign * amount_in(reserve.amount), None)


def _other(subject: Subject, operation: Operation, amount: Decimal) -> str | None:
    """Who was on the other side, as far as the operation names one; of several the only one whose amount it is."""
    if operation.asset_balance_changes:
        parties = {
            change.target if change.source == subject.address else change.source
            for change in operation.asset_balance_changes
            if subject.address in (change.source, change.target) and amount_in(change.amount) == amount
        }
        return next(iter(parties)) or None if len(parties) == 1 else None
    pairs = ((operation.source, operation.target), (operation.funder, operation.account), (operation.account, operation.into))
    for source, target in pairs:
        if source and target and subject.address in (source, target) and source != target:
            return target if source == subject.address else source
    return None


def _is_own(subject: Subject, moved: Moved) -> bool:
    """Whether the account is the asset's issuer."""
    return moved.token.id.endswith(f"-{subject.address}")


def _kind(legs: Sequence[Leg]) -> Kind:
    """Only in, only out, one token for another, nothing in the end, or something else."""
    net: dict[TokenId, Decimal] = {}
    for leg in legs:
        net[leg.token] = total((net.get(leg.token, ZERO), leg.amount))
    received, sent = (sum(amount * sign > 0 for amount in net.values()) for sign in (1, -1))
    if received and sent:
        return "trade" if received == sent == 1 else "other"
    if not (received or sent):
        return "transfer"
    return "deposit" if received else "withdrawal"
