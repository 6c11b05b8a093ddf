"""Our readers make of every fill what ccxt's parser makes of it: amounts, cost, fee, instant and id."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.fills import BASE, QUOTE, VENUES, Peer, Venue, fills, page_bytes, read_page

from omnifolio.model.facts import Claim, Evidence
from omnifolio.venues.exchanges.reader import ExchangeReader

GOLDEN = Path(__file__).parents[2] / "golden" / "exchange"
ROWS = 300


def sums(claim: Claim) -> dict[str, Decimal]:
    """What a claim moves, by code."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for leg in claim.legs:
        found[leg.token.partition("/")[2]] += leg.amount
    return {code: amount for code, amount in found.items() if amount}


def by_ccxt(trade: Mapping[str, Any]) -> dict[str, Decimal]:
    """What ccxt's trade moves, by code."""
    base, quote = trade["symbol"].split("/")
    sign = 1 if trade["side"] == "buy" else -1
    found: dict[str, Decimal] = defaultdict(Decimal)
    found[base] += sign * Decimal(trade["amount"])
    found[quote] -= sign * Decimal(trade["cost"])
    for fee in trade["fees"] or [trade["fee"]]:
        if fee and fee["cost"] is not None:
            found[fee["currency"]] -= Decimal(fee["cost"])
    return {code: amount for code, amount in found.items() if amount}


def compare(claims: Sequence[Claim], trades: Sequence[Mapping[str, Any]]) -> int:
    """Pairs claims and trades by the venue's own id of the fill; gives how many were compared."""
    ours = {claim.ref.rpartition("/")[2]: claim for claim in claims}
    theirs = {str(trade["id"]): trade for trade in trades}
    assert ours.keys() <= theirs.keys()
    for name, claim in ours.items():
        assert sums(claim) == by_ccxt(theirs[name]), name
        assert claim.at == theirs[name]["timestamp"], name
    return len(ours)


@pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.id)
def test_a_page_says_what_ccxt_says(venue: Venue) -> None:
    body = page_bytes(venue, 7, rows=ROWS)
    batch = read_page(ExchangeReader(), venue, 7, body, rows=ROWS)
    assert compare(batch.claims, Peer(venue).parse(body)) == ROWS
    told = {fill.at: fill for fill in fills(7, rows=ROWS)}
    for claim in batch.claims:
        fill = told[claim.at]
        sign = 1 if fill.is_buy else -1
        moved = {BASE: sign * Decimal(fill.amount), QUOTE: -sign * Decimal(fill.cost)}
        code = venue.fee_code(fill)
        assert sums(claim) == {**moved, code: moved.get(code, 0) - Decimal(fill.fee)}


@pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.id)
def test_the_sample_of_the_venues_documentation_says_what_ccxt_says(venue: Venue) -> None:
    """The first row of the golden case, as a fill of the one market that ccxt knows here."""
    market = next(name for name, value in venue.row(fills(1, rows=1)[0]).items() if value == venue.symbol)
    case = msgspec.json.decode((GOLDEN / venue.id / "trades" / "recorded.json").read_bytes())
    sample = venue.rows_of(case["pages"][0]["answers"][0]["response"])[0]
    body = msgspec.json.encode(venue.answer([{**sample, market: venue.symbol}]))
    proof = Evidence(stream=venue.stream, request=venue.request, received_at=case["received_at"], body=body)
    assert compare(ExchangeReader().decode(venue.id, venue.stream, [proof]).claims, Peer(venue).parse(body)) == 1
