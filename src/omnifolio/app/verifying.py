"""A venue checked with the user's own key: what a first sync would do, step by step, told in plain words and stored nowhere.

The reader, the gate and the way out are those of a sync; the ledger is one that goes away at the end.
"""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnifolio.app import findings
from omnifolio.app.findings import Finding, StreamRead
from omnifolio.app.link import Credentials
from omnifolio.app.replay import ROUNDS_MAX
from omnifolio.app.scratch import Scratch, open_scratch
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog import exchanges
from omnifolio.model import amounts
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import SECOND_MS, Clock
from omnifolio.model.errors import InvalidField, OmnifolioError, VenueClockSkew, VenueUserError
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep, http_date_ms
from omnifolio.transport.recording import Cassette, Recorder
from omnifolio.venues.contract import Access, Reader
from omnifolio.venues.exchanges.ccxt_bridge import Bridge, stated_time
from omnifolio.venues.registry import reader_for

KEY_LABEL = "verify"
DIFFERENT_MAX = 3
"""So many balances that differ from their history are named in the line."""


class Verification(Struct, frozen=True, kw_only=True):
    """All findings in their order, what was read, and the conversation as it was: only in this process, and never whole on disk.

    `is_refused`: the key can do more than it may, or was not accepted; then nothing was read with it.
    """

    venue: str
    findings: Sequence[Finding]
    streams: Sequence[StreamRead]
    cassette: Cassette
    is_refused: bool


async def verify(
    settings: Settings,
    venue: str,
    credentials: Credentials,
    *,
    pages_max: int,
    clock: Clock,
    sleep: Sleep = asyncio.sleep,
) -> Verification:
    """Checks an exchange with a key, reading up to `pages_max` pages of each stream.

    Raises: InvalidField for what is no exchange; what the venue refuses is a finding.
    """
    if venue not in exchanges.ids():
        raise InvalidField(f"{venue} is no exchange; what only has an address needs no key that could be checked")
    amounts.install()
    recorder = Recorder(venue)
    egress = Egress(clock=clock, sleep=sleep, recorder=recorder)
    access = Access(
        venue=venue,
        egress=egress,
        clock=clock,
        key_label=KEY_LABEL,
        secrets=credentials.secrets,
        fields=credentials.fields,
        base_url=base_urls_of(settings).get(venue),
    )
    found: list[Finding] = []
    streams: list[StreamRead] = []
    try:
        if await _is_reached(access, found) and await _is_accepted(access, found, settings):
            async with open_scratch(venue, clock) as scratch:
                streams = await _read_all(scratch, reader_for(venue), access, pages_max=pages_max)
                found += _told(found, streams)
                found.append(await _adding_up(scratch, streams))
    finally:
        access.secrets = {}
        await egress.close()
    cassette = recorder.cassette(recorded_at=clock.now(), fields=credentials.fields)
    return Verification(
        venue=venue,
        findings=[*_by_headers(found, cassette), *found],
        streams=streams,
        cassette=cassette,
        is_refused=not streams,
    )


async def _is_reached(access: Access, found: list[Finding]) -> bool:
    """Whether the venue answers the question for its time; where there is none, the next question shows it."""
    row = exchanges.load(access.venue)
    if not row.clock.endpoint:
        return True
    bridge = Bridge(access, row)
    try:
        asked_at = access.clock.now()
        answer = await bridge.call(row.clock.endpoint)
        # The venue read its clock somewhere between our question and its answer.
        offset_ms = stated_time(answer.body, row) - (asked_at + answer.received_at) // 2
    except OmnifolioError as error:
        found.append(findings.refusal("venue", error))
        return False
    finally:
        await bridge.close()
    found += [
        Finding(check="venue", outcome="ok", text="it answers"),
        findings.clock(_whole_seconds(offset_ms, row.clock.unit_ms)),
    ]
    return True


def _by_headers(found: Sequence[Finding], cassette: Cassette) -> list[Finding]:
    """That the venue answers, and its clock, of a venue that was not asked for its time: told by the headers of its answers."""
    if any(finding.check == "venue" for finding in found):
        return []
    if not cassette.requests:
        return [Finding(check="venue", outcome="failed", text="it did not answer", action="Try again later.")]
    dated = [
        stated - take.received_at
        for take in cassette.requests
        if take.received_at is not None and (stated := http_date_ms(take.headers.get("date", ""))) is not None
    ]
    told = findings.clock(_whole_seconds(dated[0], SECOND_MS) if dated else None)
    return [Finding(check="venue", outcome="ok", text="it answers"), told]


def _whole_seconds(offset_ms: int, unit_ms: int) -> int:
    """The offset of a clock that tells full units only: on average it stands half a unit before what it says."""
    return offset_ms + unit_ms // 2


async def _is_accepted(access: Access, found: list[Finding], settings: Settings) -> bool:
    """Whether the key was accepted and may be used for reading. Missing rights are told, and what is left is read."""
    try:
        certificate = await reader_for(access.venue).certificate(access)
    except OmnifolioError as error:
        is_about_key = isinstance(error, VenueUserError | VenueClockSkew)
        found.append(findings.refusal("signature" if is_about_key else "permission", error))
        return not isinstance(error, VenueUserError | VenueClockSkew)
    if certificate.method and certificate.method != "address":
        found.append(Finding(check="signature", outcome="ok", text="the venue accepts what is signed with this key"))
    told = findings.permission(certificate, refuses_trading=settings.trade_permission == "refuse")
    found.append(told)
    return told.code != "excess_permission"


async def _read_all(scratch: Scratch, reader: Reader, access: Access, *, pages_max: int) -> list[StreamRead]:
    """The first pages of every stream, in the order of a replay, so that a recording of them replays alike."""
    reads: dict[str, StreamRead] = {}
    for _ in range(ROUNDS_MAX):
        access.known = await scratch.known()
        left = [stream for stream in reader.streams(access) if stream.name not in reads]
        if not left:
            break
        for stream in sorted(left, key=lambda s: (not s.is_balances, not s.is_positions)):
            access.known = await scratch.known()
            read = reads[stream.name] = StreamRead(name=stream.name, is_balances=stream.is_balances, pages=[])
            await _read(scratch, reader, access, read, pages_max=pages_max)
            if isinstance(read.error, VenueUserError) and read.error.code == "bad_credentials":
                return list(reads.values())
    return list(reads.values())


async def _read(scratch: Scratch, reader: Reader, access: Access, read: StreamRead, *, pages_max: int) -> None:
    pages = reader.read(access, await scratch.cursor(read.name))
    try:
        async for page in pages:
            await scratch.commit(page)
            read.pages.append(page)
            read.is_whole = page.done
            if len(read.pages) >= pages_max:
                break
    except OmnifolioError as error:
        read.error = error
        await scratch.fail(read.name, error)
    finally:
        await pages.aclose()  # type: ignore[attr-defined]  # readers are async generators, and hold a connection until closed


def _told(found: Sequence[Finding], streams: Sequence[StreamRead]) -> list[Finding]:
    told = []
    if not any(finding.check == "signature" for finding in found) and any(read.pages for read in streams):
        told.append(Finding(check="signature", outcome="ok", text="the venue accepts what is signed with this key"))
    told += [findings.stream(read) for read in streams]
    return told + list(findings.balances(streams))


async def _adding_up(scratch: Scratch, streams: Sequence[StreamRead]) -> Finding:
    """History against balances, where both were read whole."""
    partial = [read.name for read in streams if not read.is_whole]
    if partial:
        text = f"not compared: {len(partial)} of {len(streams)} streams were read in part"
        return Finding(check="history", outcome="warning", text=text, action="Give a greater --pages to read all and compare.")
    found = await scratch.reconciliation()
    different = [line for line in found.lines if line.verdict.state == "open"]
    if not different:
        proved = sum(line.verdict.state == "proved" for line in found.lines)
        text = f"{proved} balances are proved by it, {len(found.lines) - proved} explained with a reason"
        return Finding(check="history", outcome="ok", text=text)
    names = [f"{line.token.ticker} by {canonical(line.difference or line.calculated)}" for line in different[:DIFFERENT_MAX]]
    return Finding(
        check="history",
        outcome="warning",
        code="open",
        text=f"{len(different)} of {len(found.lines)} balances differ and nothing explains it: {', '.join(names)}",
        action="Link the account and see: omnifolio accounts reconcile.",
    )


def outcome_by_stream(verification: Verification) -> Mapping[str, Mapping[str, object]]:
    """Each kind of stream with its worst outcome, its rows and its pages: no name of a scope, which may be an account's id."""
    order = ("ok", "warning", "failed")
    told: dict[str, dict[str, object]] = {}
    for read in verification.streams:
        outcome = findings.stream(read).outcome
        seen = told.setdefault(read.name.partition("/")[0], {"outcome": "ok", "streams": 0, "pages": 0, "rows": 0})
        seen["outcome"] = max(str(seen["outcome"]), outcome, key=order.index)
        for name, count in (("streams", 1), ("pages", len(read.pages)), ("rows", findings.rows(read))):
            seen[name] = int(str(seen[name])) + count
    return told
