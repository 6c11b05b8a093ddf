"""Reads an uploaded file: the evidence is the file itself, page by page, and a bad line costs that line alone.

The file's bytes come in with the access (field `content`), since a reader opens nothing on disk. Its claims bear the venue's
own refs where the layout has ids, else a hash of the line and its occurrence number; so the same file twice, overlapping
exports, and the venue's API in any order give the same transactions.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from functools import cache

from msgspec.structs import replace

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.layouts import NO_VENUE, LayoutRow
from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused, InvalidAmount, InvalidField, NotFound
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Gap, Interval, Wallet
from omnifolio.venues.contract import Access, Stream, received_at
from omnifolio.venues.demo import reader as demo
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.files.cells import zone_of
from omnifolio.venues.files.fields import Fields
from omnifolio.venues.files.rows import ROWS
from omnifolio.venues.files.table import Table, lines_of, opened, pages

CONTENT = "content"
LAYOUT = "layout"
ZONE = "time_zone"
MATCHES = "matches"
"""What the import found out: the ref of a claim → a name of the event that the ledger has already (JSON)."""
ELSEWHERE = ""
"""In place of that name: the event is of another account of the user."""
STREAM_KIND = "file"

FIAT = (
    "USD",
    "EUR",
    "GBP",
    "CHF",
    "JPY",
    "CAD",
    "AUD",
    "NZD",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "BRL",
    "TRY",
    "INR",
    "SGD",
    "HKD",
)
"""Codes of files without a venue that are government money."""


class FileReader:
    """The reader of all file layouts. Stateless: the file comes with the access."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """The one stream that the file is. An access without a file has none."""
        if CONTENT not in access.fields:
            return ()
        return (Stream(name=f"{STREAM_KIND}/{_table(access).layout.id}"),)

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of the file after the cursor; a cursor of another file starts anew. Raises: FileRefused."""
        table = _table(access)
        known = {ZONE: access.fields[ZONE]} if access.fields.get(ZONE) else {}
        matches: dict[str, str] = json.loads(access.fields.get(MATCHES, "{}"))
        _check_zone(table.layout, known.get(ZONE, ""))
        digest = hashlib.sha256((table.text + known.get(ZONE, "")).encode()).hexdigest()[:16]
        done = _pages_done(since.token, digest)
        cut = list(pages(table, received_at=access.clock.now(), known=known))
        for number, evidence in enumerate(cut[done:], start=done + 1):
            token = json.dumps({"file": digest, "pages": number}, separators=(",", ":"))
            batch = self.decode(access.venue, since.stream, (evidence,))
            here = {claim.ref: matches[claim.ref] for claim in batch.claims if claim.ref in matches}
            if here:
                params = {**evidence.params, MATCHES: json.dumps(here, separators=(",", ":"))}
                batch = self.decode(access.venue, since.stream, (replace(evidence, params=params),))
            yield replace(batch, cursor=Cursor(since.stream, token), done=number == len(cut))

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of the given pages. `venue` is that of the account. Raises: FileRefused.

        Tokens are those of the layout's venue. A layout of none takes the account's: in an exchange's account its codes are the
        exchange's, so that what a user adds by hand counts for the balance that it belongs to.
        """
        layout = layouts.load(stream.partition("/")[2])
        is_anywhere = layout.venue == NO_VENUE
        codes, wallet_names = _codes(venue if is_anywhere and venue in (*exchanges.ids(), demo.VENUE) else layout.venue)
        claims: list[Claim] = []
        gaps: list[Gap] = []
        times: list[EpochMs] = []
        for place, item in enumerate(evidence):
            zone, matches = zone_of(item.params.get(ZONE, "")), json.loads(item.params.get(MATCHES, "{}"))
            for line in lines_of(item):
                claim = _claim(Fields(layout, line, zone), codes, stream, gaps)
                if claim is None:
                    continue
                times.append(claim.at)
                known = matches.get(claim.ref)
                if known is not None:
                    # The event is told already: this line only adds its name, and nothing at all where the account is another.
                    claim = replace(claim, refs=(*claim.refs, known), legs=(), kind="other", label="", name="")
                if known != ELSEWHERE:
                    claims.append(claim if place == 0 else replace(claim, evidence=place))
        tokens = dict.fromkeys(leg.token for claim in claims for leg in claim.legs)
        wallets = dict.fromkeys(leg.wallet for claim in claims for leg in claim.legs)
        return Batch(
            cursor=Cursor(stream),
            observed_at=received_at(evidence),
            tokens=tuple(codes.facts(token) for token in tokens),
            wallets=tuple(Wallet(key=key, name=wallet_names.get(key, key.capitalize())) for key in wallets),
            claims=tuple(claims),
            covered=(Interval(min(times), max(times)),) if times else (),
            gaps=tuple(gaps),
            evidence=tuple(evidence),
        )

    async def certificate(self, access: Access) -> Certificate:
        """A file can do nothing but be read."""
        return Certificate(state="read_only", method="", checked_at=access.clock.now())


def _table(access: Access) -> Table:
    """The file as a table of the layout that the user named, else of the one that its header tells. Raises: FileRefused."""
    named = access.fields.get(LAYOUT)
    try:
        return opened(access.fields[CONTENT].encode(), layouts.load(named) if named else None)
    except NotFound as error:
        raise FileRefused(error.message) from None


def _check_zone(layout: LayoutRow, zone: str) -> None:
    """Raises: FileRefused."""
    if layout.time_zone == "ask" and not zone:
        raise FileRefused(f"{layout.display_name} does not say in which time zone its times are; name it, such as Europe/Berlin")
    if layout.time_zone != "ask" and zone:
        raise FileRefused(f"{layout.display_name} says itself in which time zone its times are")
    zone_of(zone)


def _pages_done(token: str, digest: str) -> int:
    state = json.loads(token) if token else {}
    return int(state.get("pages", 0)) if state.get("file") == digest else 0


def _claim(fields: Fields, codes: Codes, stream: str, gaps: list[Gap]) -> Claim | None:
    """The line's claim, or a gap that names its line number."""
    try:
        return ROWS[fields.layout.rows](fields, codes)
    except KeyError as error:
        reason = f"{error.args[0]} is missing"
    except (InvalidAmount, InvalidField) as error:
        reason = error.message
    gaps.append(Gap(stream=stream, code="row_unreadable", text=f"line {fields.line.number} was left out: {reason}"))
    return None


@cache
def _codes(venue: str) -> tuple[Codes, dict[str, str]]:
    """The tokens and wallet names of the layout's venue."""
    if venue not in exchanges.ids():
        return Codes(venue, aliases={}, tickers={}, fiat=frozenset(FIAT)), {}
    reading = exchanges.load(venue).reading
    codes = Codes(venue, aliases=reading.aliases, tickers=reading.tickers, fiat=frozenset(reading.fiat))
    return codes, dict(reading.wallets)
