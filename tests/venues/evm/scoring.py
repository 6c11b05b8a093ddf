"""How recorded facts are compared with our legs: fact by fact, and as the signed net of each token."""

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Claim
from omnifolio.venues.evm.document import decode_document, document_of, evidence_of

SIGNS = {"in": 1, "out": -1, "fee": -1}
SECOND_MS = 1_000


class Moved(Struct, frozen=True):
    """One movement as both sides can tell it. `names` of the token: its id, or a ticker."""

    names: frozenset[str]
    amount: Decimal
    direction: str
    at: int
    account: str

    def fits(self, other: "Moved") -> bool:
        """The same movement, told by somebody else."""
        same = (self.amount, self.direction, self.account) == (other.amount, other.direction, other.account)
        return same and bool(self.names & other.names) and abs(self.at - other.at) <= SECOND_MS


def claims_of(path: Path) -> list[tuple[str, Claim]]:
    """(address, claim) for each address of a recorded case that the transaction moved something of."""
    body = path.read_bytes()
    told = document_of(body)
    found = []
    for account in told.accounts or (told.receipt.sender,):
        evidence = evidence_of(body, chain=told.chain, account=account, at=EpochMs(0))
        found += [(account, claim) for claim in decode_document(told.chain, "transaction/recorded", evidence).claims]
    return found


def ours(path: Path) -> list[Moved]:
    """Our legs."""
    native = document_of(path.read_bytes()).chain.native
    return [
        Moved(
            frozenset({native.ticker} if leg.token == native.id else {leg.token}),
            abs(leg.amount),
            "fee" if leg.role == "fee" else "in" if leg.amount > 0 else "out",
            claim.at,
            account,
        )
        for account, claim in claims_of(path)
        for leg in claim.legs
    ]


def theirs(case: dict[str, Any], *, neutral: bool) -> list[Moved]:
    """The facts of the case that move something; or those that only tell."""
    symbols = case.get("symbols", {})
    return [
        Moved(
            frozenset({_lower(fact["asset"]), symbols.get(fact["asset"], _lower(fact["asset"]))}),
            abs(Decimal(fact["amount"])),
            fact["direction"],
            fact["time_ms"],
            fact["account"].lower(),
        )
        for fact in case["expected"]
        if (fact["direction"] == "neutral" or not Decimal(fact["amount"])) == neutral
    ]


def _lower(asset: str) -> str:
    return asset.lower() if "0x" in asset else asset


def is_strict(path: Path) -> bool:
    """Each fact is one of our legs, and each leg one of the facts."""
    case = json.loads(path.read_bytes())
    left = ours(path)
    for fact in theirs(case, neutral=False):
        hit = next((leg for leg in left if fact.fits(leg)), None)
        if hit is None:
            return False
        left.remove(hit)
    told = theirs(case, neutral=True)
    return not any(all(leg.amount != fact.amount for fact in told) for leg in left)


def has_net(path: Path) -> bool:
    """The signed sum of each token of each address is that of the facts."""
    case = json.loads(path.read_bytes())
    return _net(ours(path), theirs(case, neutral=False)) == {}


def _net(mine: Sequence[Moved], facts: Sequence[Moved]) -> dict[tuple[frozenset[str], str], Decimal]:
    sums: dict[tuple[frozenset[str], str], Decimal] = defaultdict(Decimal)
    names = {name: fact.names for fact in facts for name in fact.names}
    for sign, rows in ((1, mine), (-1, facts)):
        for row in rows:
            group = next((names[name] for name in row.names if name in names), row.names)
            sums[group, row.account] += sign * SIGNS[row.direction] * row.amount
    return {key: value for key, value in sums.items() if value}
