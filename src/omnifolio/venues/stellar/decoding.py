"""The facts of one page of a history out of its raw answers alone: effects with their operations, or transactions with fees."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from omnifolio.catalog.stellar_chains import StellarChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import received_at
from omnifolio.venues.stellar.horizon import MISSING
from omnifolio.venues.stellar.movements import MOVING, claim_of, fee_of
from omnifolio.venues.stellar.shapes import Effect, Ledger, Operation, Page, Root, Transaction, instant
from omnifolio.venues.stellar.subject import Subject, wallets_of
from omnifolio.venues.unwanted import not_wanted

ROOT, LEDGER = "root", "ledger"
EFFECTS, OPERATIONS, OPERATION = "effects", "operations", "operation"
TRANSACTIONS, TRANSACTION = "transactions", "transaction"
FIRST_LEDGER = 2
"""A server that has it keeps all history."""

T = TypeVar("T")


def lines(page: Evidence, kind: type[T]) -> tuple[T, ...]:
    """The lines of a page; an account that was never seen has none. Raises: VenueBadResponse."""
    if page.status == MISSING:
        return ()
    return shaped(page.body, Page[kind]).embedded.records  # type: ignore[valid-type]  # msgspec builds the decoder by it


def decode_transfers(chain: StellarChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """What operations moved for the account; the cursor is empty. Raises: VenueError."""
    subject = Subject(chain, evidence[0].params["wallet"])
    rows = [effect for effect in _effects(evidence) if effect.account in ("", subject.address)]
    operations = dict(_operations(evidence))
    claims: list[Claim] = []
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    unread = 0
    for number, effects in groupby(rows, key=lambda effect: effect.number):
        moving = [effect for effect in effects if effect.type in MOVING]
        if moving and number not in operations:
            unread += 1
        elif moving and (found := claim_of(subject, operations[number], moving, evidence=0)) is not None:
            claims.append(found[0])
            tokens |= {facts.id: facts for facts in found[1]}
    if evidence[0].params["read"] == TRANSACTION:
        # A page of one transaction tells its fee as well.
        fee = fee_of(subject, shaped(evidence[0].body, Transaction), evidence=0)
        claims += [fee] if fee is not None else []
    gaps = list(_pruned(stream, evidence, rows))
    if unread:
        gaps.append(Gap(stream=stream, code="operations_unread", text=f"{unread} operations with effects are not told any more"))
    return _batch(subject, stream, evidence, claims=claims, tokens=tokens, gaps=gaps)


def decode_fees(chain: StellarChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """What transactions cost; the cursor is empty. Raises: VenueError."""
    subject = Subject(chain, evidence[0].params["wallet"])
    fees = [fee_of(subject, row, evidence=0) for row in lines(evidence[0], Transaction)]
    claims = [fee for fee in fees if fee is not None]
    return _batch(subject, stream, evidence, claims=claims, tokens={chain.native.id: chain.native}, gaps=[])


def _batch(
    subject: Subject,
    stream: str,
    evidence: Sequence[Evidence],
    *,
    claims: Sequence[Claim],
    tokens: dict[str, TokenFacts],
    gaps: Sequence[Gap],
) -> Batch:
    params, at = evidence[0].params, received_at(evidence)
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=wallets_of(subject),
        claims=tuple(claims),
        covered=(Interval(EpochMs(int(params.get("wanted") or 0)), at),) if params.get("last") else (),
        gaps=(*not_wanted(stream, params.get("wanted", "")), *gaps),
        evidence=tuple(evidence),
    )


def _effects(evidence: Sequence[Evidence]) -> Iterator[Effect]:
    """The effects of the page's whole operations, in their order."""
    upto = evidence[0].params.get("upto", "")
    for row in (row for item in evidence if item.params["read"] == EFFECTS for row in lines(item, Effect)):
        yield row
        if row.paging_token == upto:
            return


def _operations(evidence: Sequence[Evidence]) -> Iterator[tuple[int, Operation]]:
    for item in evidence:
        if item.params["read"] == OPERATIONS:
            yield from ((row.number, row) for row in lines(item, Operation))
        elif item.params["read"] == OPERATION and item.status == 200:
            found = shaped(item.body, Operation)
            yield found.number, found


def _pruned(stream: str, evidence: Sequence[Evidence], rows: Sequence[Effect]) -> Iterator[Gap]:
    """The gap before the oldest ledger that the server keeps, unless the account is younger."""
    by_kind = {item.params["read"]: item for item in evidence}
    if ROOT not in by_kind or shaped(by_kind[ROOT].body, Root).history_elder_ledger <= FIRST_LEDGER:
        return
    if rows and rows[0].type == "account_created":
        return
    elder = instant(shaped(by_kind[LEDGER].body, Ledger).closed_at)
    wanted = evidence[0].params.get("wanted", "")
    if not wanted or int(wanted) < elder:
        text = "the server keeps no older history"
        yield Gap(stream=stream, code="history_pruned", text=text, start=EpochMs(int(wanted or 0)), end=elder)
