"""Recorded answers without an exact path: which of our streams each one answers, told by its URL's fragment or by its form.

A recording made below the URL says `myTrades/BNBBTC+symbol`, `fiat/payments` or only `*`, and may have lost the envelope around
its rows. An answer is taken for the stream whose decoder reads the most of it; streams of one path take turns, as a sync asks
them in that order.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.catalog.streams import StreamRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Batch, Evidence
from omnifolio.transport.recording import Take
from omnifolio.venues.exchanges.reader import ExchangeReader, Venue, venue_of

ANY = "*"

_EXACT = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
"""Keeps every decimal as the text that it was, so that writing it again changes no digit."""


class Reading(Struct, frozen=True):
    """One way to read an answer: as this stream, with this evidence, giving this batch."""

    stream: str
    evidence: Evidence
    batch: Batch

    @property
    def worth(self) -> tuple[int, int]:
        """More facts are better; of equally many, fewer unreadable rows."""
        batch = self.batch
        facts = len(batch.claims) + len(batch.orders) + sum(len(snapshot.balances) for snapshot in batch.snapshots)
        facts += sum(len(snapshot.positions) for snapshot in batch.positions)
        return facts, -len(batch.gaps)


def recognised(venue: str, takes: Sequence[Take], *, observed_at: EpochMs) -> Iterator[Batch]:
    """Batches of the takes that say something, balances together and first. Raises: NotFound for a venue without a row."""
    found, turns = venue_of(venue), Counter[str]()
    takes = [piece for take in takes for piece in _apart(found, take)]
    readings = [reading for take in takes if (reading := _best(found, take, takes, turns, observed_at)) is not None]
    balances = [reading for reading in readings if _is_present(reading) and not _is_lookup(found, reading, readings)]
    for stream in dict.fromkeys(reading.stream for reading in balances):
        yield ExchangeReader().decode(venue, stream, [item.evidence for item in balances if item.stream == stream])
    yield from (reading.batch for reading in readings if not _is_present(reading))


def _is_present(reading: Reading) -> bool:
    """Whether an answer tells what there is now: its stream is told by all its answers together."""
    return bool(reading.batch.snapshots or reading.batch.positions)


def _apart(venue: Venue, take: Take) -> list[Take]:
    """A take as one for each answer that it holds; its numbers stay as they were written."""
    try:
        pieces = venue.quirks.apart(_EXACT.decode(take.content))
    except (msgspec.DecodeError, RecursionError):
        return [take]
    if len(pieces) < 2:
        return [take]
    return [msgspec.structs.replace(take, response=msgspec.Raw(msgspec.json.encode(piece)), text=None) for piece in pieces]


def _is_lookup(venue: Venue, reading: Reading, readings: Sequence[Reading]) -> bool:
    """Whether a balance answer stands in the recording to name what another one's rows number: when it was asked is not said."""
    row, path = venue.row_of(reading.stream), reading.evidence.request.partition(" ")[2]
    call = row.calls[row.paths.index(path)]
    return any(call in venue.row_of(other.stream).lookups for other in readings)


def _evidence(take: Take, stream: str, path: str, observed_at: EpochMs) -> Evidence:
    return Evidence(
        stream=stream,
        request=f"{take.method} {path}",
        status=take.status,
        received_at=take.received_at or observed_at,
        body=take.content,
    )


def _best(venue: Venue, take: Take, takes: Sequence[Take], turns: Counter[str], observed_at: EpochMs) -> Reading | None:
    """The most telling reading of one take; None when it says nothing to any stream."""
    try:
        payload = msgspec.json.decode(take.content)
    except (msgspec.DecodeError, RecursionError):
        return None
    best: Reading | None = None
    for row, path in _candidates(venue, take, turns):
        asked = _evidence(take, row.name, path, observed_at)
        # Which of the others answered the stream's lookups is not said: its decoder takes what it knows.
        beside = [_evidence(other, row.name, ANY, observed_at) for other in takes if other is not take] if row.lookups else []
        for reading in _readings(venue, row, asked, payload, beside):
            if best is None or reading.worth > best.worth:
                best = reading
    if best is None or best.worth[0] == 0:
        return None
    turns[best.stream] += 1
    return best


def _candidates(venue: Venue, take: Take, turns: Counter[str]) -> list[tuple[StreamRow, str]]:
    """Streams with the path that the take answers: those whose path holds the fragment's words, else all. Least used first."""
    rows = [
        (row, path)
        for row in venue.row.reading.streams
        if row.pager != "scopes"
        for path in row.paths
        if take.path in (None, path)
    ]
    if take.path is None and take.url != ANY:
        words = [word for word in take.url.partition("?")[0].replace("+", "/").split("/") if word]
        rows = [(row, path) for row, path in rows if any(word in path.split("/") for word in words)] or rows
    return sorted(rows, key=lambda item: turns[item[0].name])


def _readings(venue: Venue, row: StreamRow, asked: Evidence, payload: Any, beside: Sequence[Evidence]) -> Iterator[Reading]:
    """Every form of the payload that the stream's decoder accepts; its numbers stay as they were written."""
    exact = _EXACT.decode(asked.body)
    for form, raw in zip(venue.quirks.forms(payload), venue.quirks.forms(exact), strict=True):
        scope = venue.quirks.scope_of(form) if row.is_per_scope else row.scope
        if not scope:
            continue
        stream = f"{row.kind}/{scope}"
        evidence = msgspec.structs.replace(asked, stream=stream, body=msgspec.json.encode(raw))
        try:
            yield Reading(stream, evidence, ExchangeReader().decode(venue.row.id, stream, (evidence, *beside)))
        except VenueBadResponse:
            continue
