"""Redaction by the venues' own rows: what a reader makes of documented answers is the same before and after."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from omnifolio.app.sharing import allowed_of, differing
from omnifolio.catalog import exchanges
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence
from omnifolio.transport.recording import Cassette, Take
from omnifolio.transport.redaction import redact
from omnifolio.venues.exchanges.reader import ExchangeReader
from tests.docs.pages import ROOT

GOLDEN = Path(ROOT, "tests/golden/exchange")
WHOLE = (
    *("binanceus", "bingx", "bit2me", "bitflyer", "bitget", "bithumb", "bitvavo", "coinbase", "cryptocom", "deribit", "gateeu"),
    *("gemini", "iconomi", "independentreserve", "kraken", "kucoin", "mexc", "upbit", "woo"),
)
"""Exchanges of which every documented page reads alike; at the others some rows have no field names, or speak in free text."""
DATED = {"gate"}
"""Whose names of dated contracts hold eight digits, as an id does: such a recording is refused."""
UNTOLD = {"krakenfutures"}
"""Whose wallets name coins in lower case, as any field is named, so that amounts are replaced: such a recording is refused."""


def pages_of(venue: str, cases: str = "*") -> list[tuple[str, list[Take]]]:
    """(stream, answers) of every page of the venue's golden cases, or of some of them, that is all data."""
    found = []
    for path in sorted((GOLDEN / venue).glob(f"{cases}/recorded.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        for page in case["pages"]:
            if all("response" in answer for answer in page["answers"]):
                found.append((page["stream"], [take_of(answer, case["received_at"]) for answer in page["answers"]]))
    return found


def take_of(answer: dict[str, Any], received_at: int) -> Take:
    """One documented answer as it would be recorded."""
    method, path = answer["request"].split(" ", 1)
    response = msgspec.Raw(json.dumps(answer["response"]).encode())
    return Take(method=method, path=path, params=answer.get("params", {}), received_at=EpochMs(received_at), response=response)


def told(venue: str, stream: str, takes: tuple[Take, ...]) -> object:
    """What the decoder makes of the answers, without names; the error's kind where it refuses them."""
    evidence = [
        Evidence(
            stream=stream,
            request=f"{take.method} {take.path}",
            params={name: str(value) for name, value in (take.params or {}).items()},
            received_at=take.received_at or EpochMs(0),
            body=take.content,
        )
        for take in takes
    ]
    try:
        batch = ExchangeReader().decode(venue, stream, evidence)
    except Exception as error:
        return type(error)
    moved = [(c.kind, c.status, c.at, str(sorted((leg.wallet, leg.token, leg.amount) for leg in c.legs))) for c in batch.claims]
    held = Counter((_apart(s.wallet), s.product, str(sorted((b.token, b.amount) for b in s.balances))) for s in batch.snapshots)
    open_ = [(s.wallet, s.scope, p.kind, p.name, p.size, str(p.components)) for s in batch.positions for p in s.positions]
    return Counter(moved), held, Counter(open_), len(batch.orders), len(batch.gaps)


def _apart(wallet: str) -> str:
    """A sub-account's wallet without the sub-account's id, which is one of the things that are replaced."""
    place, _, rest = wallet.partition("/")
    return f"sub/{rest.rpartition('/')[2]}" if place == "sub" else wallet


@pytest.mark.parametrize("venue", WHOLE)
def test_documented_answers_read_alike_after_redaction(venue: str) -> None:
    pages = pages_of(venue)
    assert pages
    for stream, takes in pages:
        redacted = redact(Cassette(venue=venue, requests=tuple(takes)), allowed_of(exchanges.load(venue), (), None)).cassette
        assert told(venue, stream, redacted.requests) == told(venue, stream, tuple(takes)), stream


@pytest.mark.parametrize("venue", sorted({path.parts[-3] for path in GOLDEN.glob("*/positions*/recorded.json")} - DATED - UNTOLD))
def test_open_positions_read_alike_after_redaction(venue: str) -> None:
    for stream, takes in pages_of(venue, "positions*"):
        redacted = redact(Cassette(venue=venue, requests=tuple(takes)), allowed_of(exchanges.load(venue), (), None)).cassette
        assert told(venue, stream, redacted.requests) == told(venue, stream, tuple(takes)), stream


def test_a_replay_that_differs_in_one_amount_or_type_is_noticed() -> None:
    balance = {"kind": "balance", "wallet": "spot", "asset": "BTC", "asset_id": "x", "product": "spot", "amount": "1"}
    legs = [{"wallet": "spot", "asset": "BTC", "amount": "1", "role": "principal"}]
    trade = {"kind": "transaction", "type": "trade", "subtype": None, "status": "confirmed", "at": 1, "legs": legs}
    assert differing([balance, trade], [balance, trade], None) == ""
    assert differing([balance, trade], [{**balance, "amount": "2"}, trade], None) == "balance spot"
    assert differing([balance, trade], [balance, {**trade, "type": "deposit"}], None) != ""
    assert differing([balance, trade], [balance], None) == "transaction trade"
    part = {"role": "unrealised", "asset_id": "x", "amount": "3"}
    position = {"kind": "position", "type": "option", "wallet": "w", "scope": "s", "name": "C", "size": "2", "components": [part]}
    assert differing([position], [position], None) == ""
    assert differing([position], [{**position, "components": [{**part, "amount": "4"}]}], None) == "position option"
    assert differing([position], [{**position, "size": "1", "components": [{**part, "amount": "1.5"}]}], Decimal("0.5")) == ""
