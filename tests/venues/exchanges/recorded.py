"""Recorded cases through the reader: the facts that it makes of each, one row a leg, in the form in which cases are scored."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from omnifolio.catalog import exchanges
from omnifolio.model.amounts import canonical, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.transport import recording
from omnifolio.venues.exchanges.recognise import recognised

AT = EpochMs(1_700_000_000_000)


def batches(path: Path) -> list[Batch]:
    """What the reader makes of a case."""
    cassette = recording.load(path.read_bytes())
    return list(recognised(exchanges.id_of(cassette.venue), cassette.requests, observed_at=AT))


def facts(path: Path) -> list[dict[str, Any]]:
    """Movements and balances of a case; the same claim told twice counts once. Balances are sums over all wallets."""
    claims: dict[tuple[str, str], Claim] = {}
    tokens: dict[TokenId, TokenFacts] = {}
    held: dict[str, list[Decimal]] = defaultdict(list)
    for batch in batches(path):
        tokens |= {token.id: token for token in batch.tokens}
        claims |= {(claim.book, claim.ref): claim for claim in batch.claims}
        for snapshot in batch.snapshots:
            for balance in snapshot.balances:
                held[tokens[balance.token].ticker].append(balance.amount)
    rows: list[dict[str, Any]] = [
        {"asset": ticker, "amount": canonical(total(amounts)), "direction": "balance"} for ticker, amounts in held.items()
    ]
    rows += [row for claim in claims.values() for row in _rows(claim, tokens)]
    name = json.loads(path.read_bytes())["name"]
    return [{"case": name, **row} for row in rows]


def _rows(claim: Claim, tokens: Mapping[TokenId, TokenFacts]) -> Iterator[dict[str, Any]]:
    for leg in claim.legs:
        direction = "fee" if leg.role == "fee" else "in" if leg.amount > 0 else "out"
        yield {
            "asset": tokens[leg.token].ticker,
            "amount": canonical(abs(leg.amount)),
            "direction": direction,
            "timestamp": claim.at,
        }
