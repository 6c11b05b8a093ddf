"""Three exchanges that exist nowhere, as the product knows real ones: a row of data, and what their answers mean.

Between them they walk in every way there is. Orchard keeps one ledger and annotates it, meadow has fills for each symbol and
rewards without ids, harbor goes back by page tokens.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ClockRow, CredentialField, ExchangeRow, PacingRow
from omnifolio.catalog.streams import ReadingRow, StreamRow
from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Claim, Evidence, Kind, Leg
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Quirks, Scopes, decode
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, rows_at, snapshots, told

OPENED = 1_735_689_600_000
"""2025-01-01: before the first row of every history."""
OVERLAP_MS = 3 * DAY_MS
RESCAN_MS = 30 * DAY_MS
PAGE = 40
STALE = "stamp_expired"
"""What the venues say when a signature's time is not theirs."""
WALLETS = {"main": "Main", "vault": "Earn"}
PRODUCTS = {"spot": ("main", "spot"), "earn": ("vault", "earn")}
"""Balance call → wallet and product that it tells."""


def _stream(kind: str, **more: Any) -> StreamRow:
    usual = {"page_rows": PAGE, "floor_ms": OPENED, "overlap_ms": OVERLAP_MS, "rescan_ms": RESCAN_MS, "limit_param": "limit"}
    return StreamRow(kind=kind, calls=(f"GET private {kind}",), paths=(f"/v1/{kind}",), **{**usual, **more})


BALANCES = StreamRow(
    kind="balances",
    calls=("GET private spot", "GET private earn"),
    paths=("/v1/spot", "/v1/earn"),
    pager="once",
    is_balances=True,
)
BETWEEN = {"pager": "window", "start_param": "start", "end_param": "end"}
STREAMS: Mapping[str, tuple[StreamRow, ...]] = {
    "orchard": (
        _stream("ledger", **BETWEEN, offset_param="offset"),
        _stream("fills", **BETWEEN, offset_param="page", offset_unit="pages"),
        _stream("transfers", pager="cursor", cursor_param="cursor"),
    ),
    "meadow": (
        _stream("symbols", pager="scopes"),
        _stream("fills", is_per_scope=True, pager="id", scope_param="symbol", id_param="from"),
        _stream("transfers", pager="time", start_param="start", page_rows=20, page_rows_max=640),
        _stream("rewards", **BETWEEN, window_ms=60 * DAY_MS),
    ),
    "harbor": (
        _stream("ledger", pager="cursor", cursor_param="cursor"),
        _stream("fills", **BETWEEN, cursor_param="cursor", window_ms=40 * DAY_MS),
        _stream("transfers", **BETWEEN, offset_param="page", offset_unit="pages", first_page=0),
    ),
}
SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")


def row_of(venue: str) -> ExchangeRow:
    """The exchange as data."""
    calls = {call for stream in (BALANCES, *STREAMS[venue]) for call in stream.calls}
    names = (("key", "apiKey"), ("secret", "secret"), ("memo", "uid"))
    return ExchangeRow(
        id=venue,
        display_name=venue.title(),
        ccxt_id="",
        signing="bitmart",
        documentation=f"https://{venue}.invalid/",
        fields=tuple(CredentialField(name=name, target=target, label=name) for name, target in names),
        groups={"private": f"https://{venue}.invalid/v1", "public": f"https://{venue}.invalid/public"},
        allowed=(*(("GET", "private", call.split()[2]) for call in sorted(calls)), ("GET", "public", "time")),
        clock=ClockRow(endpoint="GET public time", field=("time",)),
        pacing=PacingRow(address_burst_ms=600_000, call_ms=1),
        errors={STALE: "venue_clock_skew"},
        reading=ReadingRow(wallets=WALLETS, fiat=("USD",), streams=(BALANCES, *STREAMS[venue])),
    )


def _edges(evidence: Evidence) -> Mapping[str, Any]:
    body = decode(evidence)
    found = {name: body[name] for name in ("total", "next") if name in body}
    numbers = [row["n"] for row in body["rows"] if "n" in row]
    return {**found, "last_id": str(max(numbers))} if numbers else found


def _ledger(context: Context, row: Any) -> Claim:
    leg = Leg(str(row["id"]), "main", context.codes.token(row["asset"]), parse_amount(row["amount"]))
    shared = (f"{context.codes.venue}:event/{row['event']}",)
    return told(context, ref=row["id"], at=EpochMs(row["at"]), kind=row["kind"], legs=(leg,), shared=shared, name=row["event"])


def _annotation(context: Context, row: Any) -> Claim:
    """A row that tells again what the ledger tells: it gives the legs only as long as the ledger is silent."""
    shared = (f"{context.codes.venue}:event/{row['event']}",)
    legs = _fill_legs(context, row) if "side" in row else _moved(context, row)
    kind: Kind = "trade" if "side" in row else row["kind"]
    return told(context, ref=row["id"], at=EpochMs(row["at"]), kind=kind, legs=legs, rank=1, shared=shared, name=row["event"])


def _fill(context: Context, row: Any) -> Claim:
    ref = f"{row['symbol']}/{row['n']}"
    return told(context, ref=ref, at=EpochMs(row["at"]), kind="trade", legs=_fill_legs(context, row))


def _fill_legs(context: Context, row: Any) -> tuple[Leg, ...]:
    base, quote = (context.codes.token(code) for code in row["symbol"].split("-"))
    amounts = (parse_amount(row[name]) for name in ("amount", "cost", "fee"))
    return _filled(row["side"], base, quote, *amounts)


def _filled(side: str, base: Any, quote: Any, amount: Any, cost: Any, fee: Any) -> tuple[Leg, ...]:
    return fill(side, base=base, quote=quote, amount=amount, cost=cost, fee=fee, fee_token=quote, wallet="main")


def _moved(context: Context, row: Any) -> tuple[Leg, ...]:
    return (Leg("moved", "main", context.codes.token(row["asset"]), parse_amount(row["amount"])),)


def _transfer(context: Context, row: Any) -> Claim:
    return told(context, ref=row["id"], at=EpochMs(row["at"]), kind=row["kind"], legs=_moved(context, row))


def _rewards(context: Context, evidence: Evidence) -> Any:
    """Rows without ids: what a row says, and which of several equal ones it is, stands for one."""
    met = Counter[str]()

    def read(context: Context, row: Any) -> Claim:
        said = f"{row['at']}/{row['asset']}/{row['amount']}"
        met[said] += 1
        return told(context, ref=f"{said}/{met[said]}", at=EpochMs(row["at"]), kind="reward", legs=_moved(context, row))

    return history(rows_at("rows"), read)(context, evidence)


def _held(call: str) -> Source:
    wallet, product = PRODUCTS[call]

    def read(context: Context, row: Any) -> Iterator[Held]:
        yield wallet, product, context.codes.token(row["asset"]), parse_amount(row["amount"])  # type: ignore[misc]

    return Source(path_end=f"/{call}", rows_of=rows_at("rows"), read=read, tells=((wallet, product),))  # type: ignore[arg-type]


def _scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    names = [f"fills/{symbol}" for item in answers for symbol in rows_at("rows")(item)]
    return Scopes(streams=tuple(name for name in names if name not in known.cursors), token="found")


def quirks_of(row: ExchangeRow) -> Quirks:
    """What the exchange's answers mean."""
    parsers = {
        "ledger": history(rows_at("rows"), _ledger, _edges),
        "fills": history(rows_at("rows"), _fill if row.id == "meadow" else _annotation, _edges),
        "transfers": history(rows_at("rows"), _transfer if row.id == "meadow" else _annotation, _edges),
        "rewards": _rewards,
    }
    return Quirks(parsers=parsers, snapshots={"balances": snapshots(_held("spot"), _held("earn"))}, scopes=_scopes)


@contextmanager
def opened() -> Iterator[None]:
    """The three exchanges are in the catalog as long as the block."""
    rows = {venue: row_of(venue) for venue in STREAMS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchanges, "load", rows.__getitem__)
        patch.setattr("omnifolio.venues.exchanges.reader.quirks_of", quirks_of)
        yield
