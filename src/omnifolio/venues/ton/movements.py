"""What a transaction brought and took, as one claim: of the account itself in coins, of a jetton's account in that jetton.

The coins follow from the messages and fees; where the indexer states the balance before and after, that decides, and what the
messages do not explain is a leg of its own. Claims of one trace are one transaction, named after the trace (the name of its first
transaction, whoever's that is): a jetton is sent by one, and leaves by another. The sender's part of a message's forward fee
stands in the message, the other part in the transaction's fees.
"""

import base64
from collections.abc import Iterator

from omnifolio.catalog.ton_chains import COIN_DECIMALS
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.ton.address import friendly
from omnifolio.venues.ton.cells import BURN, EXCESSES, NFT_TRANSFER, NOTICE, TRANSFER, Unreadable, moved
from omnifolio.venues.ton.held import ITEM_AMOUNT, Subject
from omnifolio.venues.ton.shapes import ItemMove, Message, Transaction

BOOK = "chain"
_CARRIERS = frozenset({TRANSFER, BURN, NFT_TRANSFER, NOTICE, EXCESSES})
"""Messages whose coins only carry a token, or come back from that."""


def own_claim(subject: Subject, found: Transaction, *, evidence: int | None = None) -> Claim | None:
    """A transaction of the account itself; None when it changed nothing."""
    legs = (*_coins(subject, found), *_fee(subject, found))
    rest = _rest(found, legs)
    if rest:
        legs = (*legs, Leg(f"{found.lt}:rest", subject.wallet, subject.chain.native.id, from_units(rest, COIN_DECIMALS)))
    if not legs:
        return None
    return _claim(subject, found, legs, kind=_kind(found), is_failed=is_failed(found), evidence=evidence)


def jetton_claim(subject: Subject, found: Transaction, facts: TokenFacts, *, evidence: int | None = None) -> Claim | None:
    """A transaction of the account that holds a jetton for the subject; None when it moved nothing. Raises: Unreadable."""
    message = found.in_msg
    if message is None or message.number is None or found.description.aborted:
        return None
    if message.message_content is None or message.message_content.body is None:
        raise Unreadable("a message without its body")
    what = moved(message.message_content.body)
    if what is None or not what.units:
        return None
    other = friendly(what.other) if what.other else None
    assert facts.decimals is not None, "a jetton whose decimals are not known has no claims"
    leg = Leg(
        f"{found.lt}:{found.account[-8:]}", subject.wallet, facts.id, from_units(what.units, facts.decimals), "principal", other
    )
    return _claim(subject, found, (leg,), kind="deposit" if what.units > 0 else "withdrawal", is_failed=False, evidence=evidence)


def item_claim(subject: Subject, row: ItemMove, facts: TokenFacts, *, evidence: int | None = None) -> Claim | None:
    """An NFT that came or went; None when it did neither."""
    came, went = (owner.lower() == subject.raw for owner in (row.new_owner, row.old_owner))
    if row.transaction_aborted or came == went:
        return None
    leg = Leg(
        f"{row.transaction_lt}:{row.nft_address[-8:]}",
        subject.wallet,
        facts.id,
        from_units(ITEM_AMOUNT if came else -ITEM_AMOUNT, 0),
        "principal",
        friendly(row.old_owner if came else row.new_owner),
    )
    at = EpochMs(row.transaction_now * 1000)
    kind: Kind = "deposit" if came else "withdrawal"
    return _named(subject, row.transaction_hash, row.trace_id, at=at, legs=(leg,), kind=kind, evidence=evidence)


def is_failed(found: Transaction) -> bool:
    """Whether nothing came of it. Coins for an account without code arrive, though nothing was run."""
    is_returned = bytes(found.description.bounce) != b"null"
    is_sent = found.in_msg is not None and found.in_msg.sender is None
    return bool(found.description.aborted) and (is_returned or is_sent)


def _coins(subject: Subject, found: Transaction) -> Iterator[Leg]:
    native = subject.chain.native.id
    if found.in_msg is not None and found.in_msg.sender is not None and found.in_msg.units:
        amount = from_units(found.in_msg.units, COIN_DECIMALS)
        yield Leg(f"{found.lt}:in", subject.wallet, native, amount, "principal", friendly(found.in_msg.sender))
    for place, message in enumerate(found.sent):
        if message.receiver is not None and message.units:
            key = f"{found.lt}:out:{message.created_lt or place}"
            amount = from_units(-message.units, COIN_DECIMALS)
            yield Leg(key, subject.wallet, native, amount, "principal", friendly(message.receiver))


def _fee(subject: Subject, found: Transaction) -> Iterator[Leg]:
    units = int(found.total_fees) + sum(int(one.fwd_fee or 0) + int(one.ihr_fee or 0) for one in found.sent)
    if units:
        yield Leg(f"{found.lt}:fee", subject.wallet, subject.chain.native.id, from_units(-units, COIN_DECIMALS), "fee")


def _rest(found: Transaction, legs: tuple[Leg, ...]) -> int:
    """What the balance changed by beyond the legs, in units; 0 where the indexer does not state the balances."""
    before, after = found.account_state_before, found.account_state_after
    opening = before.balance if before else None
    if opening is None and found.orig_status == "nonexist":
        opening = "0"
    if opening is None or after is None or after.balance is None:
        return 0
    told = sum(int(leg.amount.scaleb(COIN_DECIMALS)) for leg in legs)
    return int(after.balance) - int(opening) - told


def _kind(found: Transaction) -> Kind:
    message = found.in_msg
    incoming = [message] if message is not None and message.sender is not None and message.units else []
    outgoing = [one for one in found.sent if one.receiver is not None and one.units]
    if not incoming and not outgoing:
        return "fee"
    if incoming and outgoing:
        return "other"
    if incoming and incoming[0].bounced:
        return "refund"
    if all(_is_carrier(one) for one in (*incoming, *outgoing)):
        return "transfer"
    return "deposit" if incoming else "withdrawal"


def _is_carrier(message: Message) -> bool:
    return message.number in _CARRIERS


def _claim(
    subject: Subject, found: Transaction, legs: tuple[Leg, ...], *, kind: Kind, is_failed: bool, evidence: int | None
) -> Claim:
    at = EpochMs(found.now * 1000)
    return _named(
        subject, found.hash, found.trace_id, at=at, legs=legs, kind=kind, evidence=evidence,
        is_failed=is_failed, height=found.mc_block_seqno,
    )  # fmt: skip


def _named(
    subject: Subject,
    name: str,
    trace: str | None,
    *,
    at: EpochMs,
    legs: tuple[Leg, ...],
    kind: Kind,
    evidence: int | None,
    is_failed: bool = False,
    height: int | None = None,
) -> Claim:
    own = base64.b64decode(name).hex()
    whole = base64.b64decode(trace).hex() if trace else own
    event = f"{subject.chain.caip2}:{whole}"
    return Claim(
        book=BOOK,
        ref=own,
        refs=(f"tx:{subject.chain.caip2}:{own}", f"trace:{event}"),
        name=whole,
        at=at,
        kind=kind,
        legs=legs,
        status="failed" if is_failed else "confirmed",
        confirmed_at=at,
        event=event,
        height=height,
        evidence=evidence,
    )
