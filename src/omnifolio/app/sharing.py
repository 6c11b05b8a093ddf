"""From a recorded conversation to one that may be shown: redacted by the venue's row, and proved to replay alike."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import msgspec

from omnifolio.app.facts import Line
from omnifolio.app.replay import replay
from omnifolio.app.verifying import Verification, outcome_by_stream
from omnifolio.catalog import exchanges
from omnifolio.catalog.confirmed import FORMAT
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.model.amounts import canonical, product
from omnifolio.model.clock import iso
from omnifolio.model.errors import FileRefused
from omnifolio.model.secrets import Secret
from omnifolio.transport.recording import Cassette, dump
from omnifolio.transport.redaction import Allowed, Redacted, drawn_factor, forms_of, redact, words_of
from omnifolio.venues.exchanges import connector

SAMPLE_CHARS = 600


async def shareable(cassette: Cassette, secrets: Mapping[str, Secret], *, is_scaled: bool) -> Redacted:
    """The conversation as others may see it, its amounts exact or all multiplied by one factor that is forgotten here.

    Raises: FileRefused where its replay gives other facts than the original's, or a secret is left: then nothing may be saved.
    """
    row, factor = exchanges.load(cassette.venue), drawn_factor() if is_scaled else None
    entered = tuple(secret.reveal() for secret in secrets.values())
    allowed = allowed_of(row, entered, factor)
    redacted = redact(cassette, allowed)
    document = dump(redacted.cassette).decode()
    if any(form in document for text in entered for form in forms_of(text)):
        raise FileRefused("a part of the credentials is still in the redacted conversation, so nothing was saved")
    difference = differing(await replay(cassette), await replay(redacted.cassette), factor)
    if difference:
        raise FileRefused(f"the redacted conversation does not replay like the original ({difference}), so nothing was saved")
    return redacted


def allowed_of(row: ExchangeRow, entered: tuple[str, ...], factor: Decimal | None) -> Allowed:
    """What may stay of a venue's answers beside the harmless fields: the words of its row."""
    words = words_of(_texts(msgspec.to_builtins(row))) | words_of(row.url_of(endpoint) for endpoint in row.allowed)
    return Allowed(words=words, texts=tuple(row.errors), secrets=entered, factor=factor)


def result_of(verification: Verification, *, is_scaled: bool, is_own_host: bool) -> dict[str, object]:
    """The line beside a recording: what was verified, when, with which versions, and how each kind of stream did.

    `connector` changes with the venue's row and with what reads its answers; `is_own_host` is false where a simulation or another
    server stood in the venue's place.
    """
    at = iso(verification.cassette.recorded_at)
    return {
        "format": FORMAT,
        "venue": verification.venue,
        "date": at[:10],
        "omnifolio": version("omnifolio"),
        "ccxt": version("ccxt"),
        "connector": connector.digest(verification.venue),
        "asked": "venue" if is_own_host else "other",
        "amounts": "scaled" if is_scaled else "exact",
        "checks": {f.check: f.outcome for f in verification.findings if not f.check.startswith(("stream ", "balances"))},
        "streams": outcome_by_stream(verification),
    }


def sample(redacted: Redacted) -> str:
    """The beginning of the longest answer, for the eyes of its owner."""
    bodies = [bytes(take.response).decode() for take in redacted.cassette.requests if take.response is not msgspec.UNSET]
    return max(bodies, key=len, default="")[:SAMPLE_CHARS]


def differing(original: Sequence[Line], redacted: Sequence[Line], factor: Decimal | None) -> str:
    """In which kind of fact two replays differ, "" in none: as many of the same types, and the same (or scaled) amounts."""
    ours, theirs = Counter(_traits(original, factor)), Counter(_traits(redacted, None))
    changed = sorted({trait[:2] for trait in (ours - theirs) + (theirs - ours)})
    return ", ".join(" ".join(filter(None, trait)) for trait in changed[:3])


def _traits(lines: Iterable[Line], factor: Decimal | None) -> Iterator[tuple[str, ...]]:
    """What must be the same of each fact: everything but its names."""
    for line in lines:
        if line["kind"] == "balance":
            yield "balance", line["wallet"], line["product"], _id(line), _amount(line, factor)
        elif line["kind"] == "position":
            parts = sorted([part["role"], _amount(part, factor)] for part in line["components"])
            size = _amount({"amount": line["size"]}, factor)
            yield "position", line["type"], line["wallet"], line["scope"], line["name"], size, json.dumps(parts)
        elif line["kind"] == "transaction":
            legs = sorted([leg["wallet"], _id(leg), leg["role"], _amount(leg, factor)] for leg in line["legs"])
            yield "transaction", line["type"], str(line["subtype"]), str(line["status"]), str(line["at"]), json.dumps(legs)
        else:
            yield "problem", line["code"], line["where"].partition("/")[0]


def _id(line: Mapping[str, Any]) -> str:
    return str(line["asset"])


def _amount(line: Mapping[str, Any], factor: Decimal | None) -> str:
    return str(line["amount"]) if factor is None else canonical(product(Decimal(line["amount"]), factor))


def _texts(value: Any) -> Iterator[str]:
    """Every text in the row, names included: by them the reader asks."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(name)
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)
