"""Recorded answers without an exact path: which of our streams each one answers, told by its URL's fragment or by its form.

A recording made below the URL says `myTrades/BNBBTC+symbol`, `fiat/payments` or only `*`, and may have lost the envelope around
its rows. An answer is taken for the stream whose decoder reads the most of it; streams of one path take turns, as a sync asks
them in that order.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
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


ENVELOPES: tuple[tuple[str, ...], ...] = (
    *(
        (name,)
        for name in ("data", "result", "rows", "list", "items", "records", "transactions", "trades", "fills", "orders", "Data")
    ),
    *(("data", name) for name in ("items", "rows", "list", "records", "data", "dataList")),
    *(("result", name) for name in ("list", "rows", "data", "ledger", "trades")),
)
"""Objects that stand around the rows of many venues' answers, and that a recording may have lost."""
ENVELOPED_BYTES_MAX = 200_000
PIECES_MAX = 20
PIECES_DEPTH_MAX = 2
TOGETHER_MAX = 40
"""The longest payload that is tried in envelopes; answers that one take may hold, and how deep; takes of a recording among which
a second one is looked for that a take needs."""
STEM_LENGTH = 8
"""How much of a stream's word must stand in a hint: `withdraw` is said of withdrawals."""


class Reading(Struct, frozen=True):
    """One way to read an answer: as this stream, with this evidence and that `beside` it, giving this batch."""

    stream: str
    evidence: Evidence
    batch: Batch
    beside: tuple[Evidence, ...] = ()

    @property
    def worth(self) -> tuple[int, int, int]:
        """More facts are better; of equally many, fewer unreadable rows; then a history, more of whose fields had to fit."""
        batch = self.batch
        facts = len(batch.claims) + len(batch.orders) + sum(len(snapshot.balances) for snapshot in batch.snapshots)
        facts += sum(len(snapshot.positions) for snapshot in batch.positions)
        return facts, -len(batch.gaps), len(batch.claims)


def recognised(venue: str, takes: Sequence[Take], *, observed_at: EpochMs) -> Iterator[Batch]:
    """Batches of the takes that say something, balances together and first. Raises: NotFound for a venue without a row."""
    found, turns = venue_of(venue), Counter[str]()
    takes = [piece for take in takes for piece in _apart(found, take)]
    asks = [_Question(venue=found, take=take, takes=takes, at=observed_at) for take in takes]
    readings = [reading for ask in asks for reading in _told(ask, turns)]
    balances = [reading for reading in readings if _is_present(reading) and not _is_lookup(found, reading, readings)]
    for stream in dict.fromkeys(reading.stream for reading in balances):
        of_stream = [reading for reading in balances if reading.stream == stream]
        own = [reading.evidence for reading in of_stream]
        known = {item.body for item in own}
        # The same answer may have helped to read several.
        beside = {item.body: item for reading in of_stream for item in reading.beside if item.body not in known}
        yield ExchangeReader().decode(venue, stream, (*own, *beside.values()))
    yield from (reading.batch for reading in readings if not _is_present(reading))


def _is_present(reading: Reading) -> bool:
    """Whether an answer tells what there is now: its stream is told by all its answers together."""
    return bool(reading.batch.snapshots or reading.batch.positions)


def _apart(venue: Venue, take: Take) -> list[Take]:
    """A take as one for each answer that it holds by the venue's word."""
    try:
        pieces = venue.quirks.apart(_EXACT.decode(take.content))
    except (msgspec.DecodeError, RecursionError):
        return [take]
    return [take] if len(pieces) < 2 else [_piece(take, piece) for piece in pieces]


def _piece(take: Take, content: Any) -> Take:
    """A part of a take; its numbers stay as they were written."""
    return msgspec.structs.replace(take, response=msgspec.Raw(msgspec.json.encode(content)), text=None)


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


class _Question(Struct, frozen=True, kw_only=True):
    """One take among those of its recording, of which the venue's streams are asked."""

    venue: Venue
    take: Take
    takes: Sequence[Take]
    at: EpochMs

    def asked(self, row: StreamRow, path: str) -> Evidence:
        """The take as the answer to this call of a stream."""
        return _evidence(self.take, row.name, path, self.at)

    def others(self) -> list[Take]:
        """The takes beside it."""
        return [other for other in self.takes if other is not self.take]


def _told(asked: _Question, turns: Counter[str], *, depth: int = 0) -> list[Reading]:
    """What one take says to some stream: as a whole, else piece by piece."""
    try:
        msgspec.json.decode(asked.take.content)
    except (msgspec.DecodeError, RecursionError):
        return []
    for candidates in _candidates(asked.venue, asked.take, turns):
        for way in (_readings, _in_envelopes, _together):
            found = [
                reading for row, path in candidates for reading in way(asked, row, asked.asked(row, path)) if _counts(reading)
            ]
            if found:
                best = max(found, key=lambda reading: reading.worth)
                turns[best.stream] += 1
                return [best]
    pieces = _inside(asked.take) if depth < PIECES_DEPTH_MAX else []
    asks = [msgspec.structs.replace(asked, take=piece) for piece in pieces]
    return [reading for ask in asks for reading in _told(ask, turns, depth=depth + 1)]


def _counts(reading: Reading) -> bool:
    """Whether it tells something, of wallets that have a name: a sub-account's may have stood in the question, which is lost."""
    wallets = (snapshot.wallet for snapshot in reading.batch.snapshots)
    return reading.worth[0] > 0 and not any(wallet.startswith("sub//") or "{" in wallet for wallet in wallets)


def _inside(take: Take) -> list[Take]:
    """The answers that a take may hold, where they are few. A flat row is none: alone it would stand for all of them."""
    pieces = [
        piece for piece in _values(_EXACT.decode(take.content)) if isinstance(piece, list) or any(map(_has_rows, _values(piece)))
    ]
    return [_piece(take, piece) for piece in pieces if piece] if len(pieces) <= PIECES_MAX else []


def _values(content: Any) -> list[Any]:
    """What an object or a list holds."""
    return list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []


def _has_rows(content: Any) -> bool:
    """Whether it is a list, or an object that holds one."""
    return isinstance(content, list) or any(isinstance(value, list) for value in _values(content))


def _candidates(venue: Venue, take: Take, turns: Counter[str]) -> list[list[tuple[StreamRow, str]]]:
    """Streams with the path that the take may answer, likelier ones first: those whose path holds most of the fragment's words,
    then all of the account's own, then what only some accounts have. In each come first those that the hint names, then the
    least used."""
    rows = [
        (row, path)
        for row in venue.row.reading.streams
        if row.pager != "scopes"
        for path in row.paths
        if take.path in (None, path)
    ]
    rows.sort(key=lambda item: (-_hinted(item[0], take.hint or ""), turns[item[0].name]))
    words = set() if take.url == ANY else set(take.url.partition("?")[0].replace("+", "/").split("/")) - {""}
    held = [len(words & set(path.split("/"))) for _, path in rows]
    most = max(held, default=0)
    named = [item for item, count in zip(rows, held, strict=True) if most and count == most and not item[0].is_optional]
    own, some = ([item for item in rows if item[0].is_optional is is_some] for is_some in (False, True))
    return [group for group in (named, own, some) if group]


def _hinted(row: StreamRow, hint: str) -> int:
    """How many words of the stream's name the hint has."""
    words = {word.rstrip("s")[:STEM_LENGTH] for word in re.split(r"\W+", row.name)} - {"all"}
    return sum(word in hint.lower() for word in words if word)


def _readings(asked: _Question, row: StreamRow, answer: Evidence) -> Iterator[Reading]:
    """Every form of the answer that the stream's decoder accepts; its numbers stay as they were written."""
    venue, at = asked.venue, answer.received_at
    payload, exact = msgspec.json.decode(answer.body), _EXACT.decode(answer.body)
    # Which of the others answered the stream's lookups is not said: its decoder takes what it knows.
    others = [_evidence(other, row.name, ANY, at) for other in asked.others()] if row.lookups else []
    for form, raw in zip(venue.quirks.forms(payload), venue.quirks.forms(exact), strict=True):
        scope = venue.quirks.scope_of(form) if row.is_per_scope else row.scope
        if scope:
            yield from _read(asked.venue, row, scope, _with(answer, raw), others)


def _in_envelopes(asked: _Question, row: StreamRow, answer: Evidence) -> Iterator[Reading]:
    """The answer inside the envelopes that many venues have, as it is and as the only row of a list."""
    if len(answer.body) > ENVELOPED_BYTES_MAX:
        return
    exact = _EXACT.decode(answer.body)
    for names in ENVELOPES:
        for body in (exact,) if isinstance(exact, list) else (exact, [exact]):
            yield from _readings(asked, row, _with(answer, _enveloped(body, names)))


def _enveloped(body: Any, names: Sequence[str]) -> Any:
    return _enveloped({names[-1]: body}, names[:-1]) if names else body


def _together(asked: _Question, row: StreamRow, answer: Evidence) -> Iterator[Reading]:
    """Balances or positions that the take tells only beside the answer of another call of the same stream."""
    if not (row.is_balances or row.is_positions) or len(asked.takes) > TOGETHER_MAX:
        return
    for other in asked.others():
        likeliest = next(iter(_candidates(asked.venue, other, Counter())), [])
        for path in [path for at, path in likeliest if at is row and not answer.request.endswith(path)]:
            beside = _evidence(_piece(other, _EXACT.decode(other.content)), row.name, path, answer.received_at)
            for form in asked.venue.quirks.forms(_EXACT.decode(answer.body)):
                read = _read(asked.venue, row, row.scope, _with(answer, form), (beside,))
                # A second answer that is another call's would show as a row that cannot be read.
                yield from (reading for reading in read if not reading.batch.gaps)


def _with(answer: Evidence, content: Any) -> Evidence:
    """The answer with other content."""
    return msgspec.structs.replace(answer, body=msgspec.json.encode(content))


def _read(venue: Venue, row: StreamRow, scope: str, asked: Evidence, beside: Sequence[Evidence]) -> Iterator[Reading]:
    """What the stream's decoder makes of an answer, if it is one."""
    stream = f"{row.kind}/{scope}"
    evidence = msgspec.structs.replace(asked, stream=stream)
    with suppress(VenueBadResponse):
        yield Reading(stream, evidence, ExchangeReader().decode(venue.row.id, stream, (evidence, *beside)), tuple(beside))
