"""One runner for every venue's golden cases: recorded answers in, facts out, compared with what was reviewed before.

A case is a folder `golden/<family>/<venue>/<case>/` with `recorded.json` (source, date seen, and pages of answers per stream) and
`expected.json`. The stream `certificate` is the venue's introspection of a key. `make golden` rewrites the expectations; read the
diff as you read code.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from omnifolio.model.accounts import Certificate
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.facts import Batch, Claim, Evidence, Order, Position
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.registry import reader_for

CERTIFICATE = "certificate"
FOLDER = Path(__file__).parent / "golden"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/*/recorded.json"))


class Answer(Struct, kw_only=True, forbid_unknown_fields=True):
    """One recorded answer: `response` is JSON kept to the byte, `text` a body that is none."""

    request: str
    params: dict[str, str] = {}
    status: int = 200
    response: msgspec.Raw = msgspec.Raw()
    text: str = ""


class Page(Struct, kw_only=True, forbid_unknown_fields=True):
    """The answers of one page of a stream."""

    stream: str
    answers: list[Answer]


class Recorded(Struct, kw_only=True, forbid_unknown_fields=True):
    """A case: where it was seen, on which day, and its pages."""

    source: str
    seen: str
    received_at: int
    pages: list[Page]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-3:]))
def test_a_recorded_page_gives_the_reviewed_facts(case: Path, request: pytest.FixtureRequest) -> None:
    recorded = msgspec.json.decode((case / "recorded.json").read_bytes(), type=Recorded)
    facts = [decoded(case.parent.name, page, EpochMs(recorded.received_at)) for page in recorded.pages]
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
    target = case / "expected.json"
    if request.config.getoption("--update-golden"):
        target.write_bytes(text)
    assert text.decode() == target.read_text(encoding="utf-8")


def decoded(venue: str, page: Page, received_at: EpochMs) -> dict[str, Any]:
    """The facts of one page, or the error that it is."""
    evidence = [
        Evidence(
            stream=page.stream,
            request=answer.request,
            params=answer.params,
            status=answer.status,
            received_at=received_at,
            body=bytes(answer.response) or answer.text.encode(),
        )
        for answer in page.answers
    ]
    try:
        if page.stream == CERTIFICATE:
            return {"stream": page.stream, **plain_certificate(ExchangeReader().certify(venue, evidence[0]))}
        return {"stream": page.stream, **plain(reader_for(venue, page.stream).decode(venue, page.stream, evidence))}
    except OmnifolioError as error:
        return {"stream": page.stream, "error": error.code, "text": error.message}


def plain_certificate(certificate: Certificate) -> dict[str, Any]:
    """A certificate as JSON values; what is empty is left out."""
    fields = {field.name: getattr(certificate, field.name) for field in msgspec.structs.fields(Certificate)}
    return {name: value for name, value in fields.items() if value not in (None, "", ())}


def plain(batch: Batch) -> dict[str, Any]:
    """A batch as JSON values; what is empty is left out."""
    found: dict[str, Any] = {
        "snapshots": [
            {
                "wallet": snapshot.wallet,
                "product": snapshot.product,
                "balances": {balance.token: canonical(balance.amount) for balance in snapshot.balances},
            }
            for snapshot in batch.snapshots
        ],
        "positions": [
            {"wallet": told.wallet, "scope": told.scope, "open": [plain_position(position) for position in told.positions]}
            for told in batch.positions
        ],
        "claims": [plain_claim(claim) for claim in batch.claims],
        "orders": [plain_order(order) for order in batch.orders],
        "gaps": [{"code": gap.code, "text": gap.text} for gap in batch.gaps],
        "tokens": {token.id: f"{token.ticker} {token.kind}" for token in batch.tokens},
    }
    return {name: value for name, value in found.items() if value or name == "snapshots"}


def plain_position(position: Position) -> Mapping[str, Any]:
    """A position with its components as lines; fields that say nothing are left out."""
    fields = {field.name: getattr(position, field.name) for field in msgspec.structs.fields(Position)}
    told = {
        name: canonical(value) if isinstance(value, Decimal) else value
        for name, value in fields.items()
        if value is not None and name != "components"
    }
    return {**told, "components": [f"{part.role} {part.token} {canonical(part.amount)}" for part in position.components]}


def plain_claim(claim: Claim) -> Mapping[str, Any]:
    """A claim with its legs as lines; fields that say nothing are left out."""
    legs = [
        " ".join(filter(None, (leg.key, leg.wallet, leg.token, canonical(leg.amount), leg.role, leg.counterparty or "")))
        for leg in claim.legs
    ]
    fields = {field.name: getattr(claim, field.name) for field in msgspec.structs.fields(Claim)}
    kept = {name: value for name, value in fields.items() if value not in (None, "", 0) and name not in ("legs", "evidence")}
    return {**kept, "legs": legs}


def plain_order(order: Order) -> Mapping[str, Any]:
    """An order with its quantities as text; fields that say nothing are left out."""
    fields = {field.name: getattr(order, field.name) for field in msgspec.structs.fields(Order) if field.name != "evidence"}
    return {
        name: canonical(value) if isinstance(value, Decimal) else value for name, value in fields.items() if value is not None
    }
