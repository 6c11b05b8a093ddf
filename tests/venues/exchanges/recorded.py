"""Recorded cases as evidence: which of our questions each recorded request answers, and the facts that our reader makes of it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim, Evidence
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.exchanges.reader import ExchangeReader

AT = EpochMs(1_700_000_000_000)


def evidence_of(stream: str, request: str, payload: object) -> Evidence:
    """One answer, as if our reader had asked for it."""
    return Evidence(stream=stream, request=request, received_at=AT, body=json.dumps(payload).encode())


def conversations(case: Mapping[str, Any]) -> Iterator[tuple[str, Evidence]]:
    """(stream, evidence) of every request of a case that our reader would ask; the record's own scaffolding is left out."""
    payments = iter(("fiat-payments/buy", "fiat-payments/sell"))
    for request in case["requests"]:
        url, hint, payload = request["url"], request.get("hint"), request["response"]
        if case["venue"] == "binance" and url.startswith("myTrades/"):
            symbol = url.removeprefix("myTrades/").partition("+")[0]
            yield f"trades/{symbol[:3]}-{symbol[3:]}", evidence_of("", "GET /api/v3/myTrades", payload)
        elif case["venue"] == "binance" and url == "fiat/payments":
            yield next(payments), evidence_of("", "GET /sapi/v1/fiat/payments", payload)
        elif case["venue"] == "kraken" and "ledger" in payload:
            yield "ledger/all", evidence_of("", "POST /0/private/Ledgers", {"error": [], "result": payload})
        elif case["venue"] == "coinbase" and hint == "trade_pairs":
            rows = [row for pair in payload.values() for row in pair]
            yield "transactions/spot:a", evidence_of("", "GET /v2/accounts/a/transactions", {"data": rows})
        elif case["venue"] == "coinbase" and url == "/transactions":
            yield "transactions/spot:a", evidence_of("", "GET /v2/accounts/a/transactions", {"data": payload})
            return
        elif case["venue"] == "coinbase" and url == "transactions":
            yield "transactions/spot:a", evidence_of("", "GET /v2/accounts/a/transactions", payload)


def batches(case: Mapping[str, Any]) -> list[Batch]:
    """What the reader makes of a case."""
    reader = ExchangeReader()
    return [reader.decode(case["venue"], stream, (evidence,)) for stream, evidence in conversations(case)]


def facts(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a leg, in the form that the cases are scored in."""
    rows = []
    for batch in batches(case):
        tokens = {token.id: token for token in batch.tokens}
        rows += [row for claim in batch.claims for row in _rows(case["name"], claim, tokens)]
    return rows


def _rows(case: str, claim: Claim, tokens: Mapping[str, TokenFacts]) -> Iterator[dict[str, Any]]:
    for leg in claim.legs:
        direction = "fee" if leg.role == "fee" else "in" if leg.amount > 0 else "out"
        yield {
            "case": case,
            "asset": tokens[leg.token].ticker,
            "amount": canonical(abs(leg.amount)),
            "direction": direction,
            "timestamp": claim.at,
        }


def load(path: Path) -> dict[str, Any]:
    """One case."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=_Literal)
    return loaded


class _Literal(float):
    """A number that is written again exactly as it was recorded."""

    def __new__(cls, text: str) -> "_Literal":
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text
