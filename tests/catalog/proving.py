"""Counts what the cases of each exchange prove, and writes it as the catalog's file and as a page of the documentation."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from tests import fixtures
from tests.venues.exchanges import recorded, unified_cases
from tests.venues.exchanges.differences import DIFFERENT_BY_DESIGN

from omnifolio.app.proving import live_of
from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.catalog.proofs import Proof, VenueProof
from omnifolio.model.clock import DAY_MS, iso

GOLDEN = Path(__file__).parents[1] / "golden" / "exchange"
CASES_MIN = 5
NEEDED = ("empty", "errors")
"""Cases that each connector must have among its at least five."""
NEEDED_UNIFIED = (*NEEDED, "balances")
"""As above where ccxt's own methods read the exchange."""


class Case(Struct, frozen=True):
    """One reviewed case: its name, the day on which its source was seen, the kinds of stream in it."""

    name: str
    seen: str
    kinds: frozenset[str]


def cases_of(venue: str) -> Iterator[Case]:
    """The golden cases of a venue; a whole account is one, dated by nothing of its own."""
    for line in unified_cases.stated(venue):
        name, kind, *_ = line.split(" ")
        yield Case(name, unified_cases.SEEN, frozenset() if name.startswith(NEEDED) else frozenset([kind]))
    for path in sorted((GOLDEN / venue).glob("*/recorded.json")):
        document = json.loads(path.read_bytes())
        kinds = frozenset(page["stream"].partition("/")[0] for page in document["pages"])
        yield Case(path.parent.name, document["seen"], kinds)
    if (GOLDEN / venue / "account" / "facts.ndjson").exists():
        yield Case("account", "", frozenset())


def recorded_kinds() -> Mapping[str, frozenset[str]]:
    """By venue the kinds of stream that real answers were checked for; empty where no recorded cases are to be had."""
    found = defaultdict[str, set[str]](set)
    for path in fixtures.cases("cex"):
        venue = exchanges.id_of(path.name.partition("__")[0])
        if venue in exchanges.ids() and path.stem not in DIFFERENT_BY_DESIGN:
            batches = recorded.batches(path)
            found[venue] |= {b.cursor.stream.partition("/")[0] for b in batches if b.claims or b.snapshots}
    return {venue: frozenset(kinds) for venue, kinds in found.items() if kinds}


def proof_of(row: ExchangeRow, real: frozenset[str]) -> VenueProof:
    """What a venue's cases prove, with the kinds of stream that real answers were checked for.

    A house of another exchange that answers as that one does is read by the same quirks, so those cases count here too.
    """
    cases = [*cases_of(row.id), *(cases_of(row.quirks) if row.quirks else ())]
    names = {case.name.partition("_")[0] for case in cases}
    needed = NEEDED_UNIFIED if row.quirks == unified_cases.UNIFIED else NEEDED
    is_sampled = len(cases) >= CASES_MIN and all(name in names for name in needed)
    covered = frozenset[str]().union(*(case.kinds for case in cases))
    streams: dict[str, Proof] = {}
    for kind in dict.fromkeys(stream.kind for stream in row.reading.streams if stream.pager != "scopes"):
        streams[kind] = "recorded" if kind in real else "sampled" if is_sampled and kind in covered else "listed"
    proof: Proof = "listed" if not is_sampled else "recorded" if real else "sampled"
    return VenueProof(proof=proof, cases=len(cases), seen=max((case.seen for case in cases), default=""), streams=streams)


def proofs(real: Mapping[str, frozenset[str]]) -> dict[str, VenueProof]:
    """All exchanges' proofs."""
    return {venue: proof_of(exchanges.load(venue), real.get(venue, frozenset())) for venue in exchanges.ids()}


def as_toml(found: Mapping[str, VenueProof]) -> str:
    """The catalog's file."""
    lines = ["# Written by `make golden` from the cases of the tests. Do not edit."]
    for venue, proof in found.items():
        streams = ", ".join(f'{kind} = "{level}"' for kind, level in proof.streams.items())
        lines += ["", f"[{venue}]", f'proof = "{proof.proof}"', f"cases = {proof.cases}", f'seen = "{proof.seen}"']
        lines.append(f"streams = {{ {streams} }}")
    return "\n".join(lines) + "\n"


LEFT_OUT: tuple[tuple[str, str, str], ...] = (
    ("mexc", "contracts", "nothing says whether `equity` is `cashBalance` and `unrealized`, or what else is in it"),
    (
        "woo",
        "contracts",
        "a position is settled at `settlePrice` at times that nothing states, so its open gain may be in the balance",
    ),
    (
        "cryptocom",
        "derivatives",
        "`session_pnl` of a position may hold what was realised in the session and is in the balance already",
    ),
    ("bitfinex", "derivatives and margin", "nothing says whether a position's `COLLATERAL` is still in the wallet's balance"),
    ("binance", "options", "one sample adds the open gain to the margin balance, the account stream a position's value"),
    ("bitget", "contracts of a unified account", "samples state `equity` and `balance` of a coin only where nothing is open"),
    ("gate", "contracts of a unified account", "no field of the pool is documented as its balance without open gains"),
    ("bingx", "standard futures", "no size is told"),
    ("phemex", "margin trades", "its answer was not looked up yet"),
)
"""Venue, what of its open positions is not read, and why: what a total would need to count nothing twice is not documented."""


def as_page(found: Mapping[str, VenueProof]) -> str:
    """The documentation's table of exchanges."""
    lines = [
        "# Exchanges and how they were proved",
        "",
        "Written by `make golden` from the cases of the tests. What the words mean: [README](../README.md). `recorded`: a real",
        "account's answers were checked for that kind of data; `sampled`: the operator's documentation; what is not marked is",
        "read as documented, without a case of its own. Days say how far back the venue gives it. `live`: a user with an account",
        "has confirmed this very connector, until the day that is named; a change of it ends that sooner.",
        f"{confirmed_by_users()}.",
        "",
        "Where the reader is ccxt's, an exchange is read best effort ([ccxt.md](ccxt.md)), and its samples are those in the",
        "comments of ccxt's source, some put into an envelope or completed here: they show what becomes of an answer of that",
        "form, and less of what the exchange really sends.",
        "",
        "| Exchange | Proof | Reader | Cases | Wallets | Key checked | History and balances |",
        "|---|---|---|---|---|---|---|",
    ]
    for venue, proof in sorted(found.items(), key=lambda item: exchanges.load(item[0]).display_name.lower()):
        row = exchanges.load(venue)
        wallets = ", ".join(row.reading.wallets.values())
        probed = row.key_check or "no key"
        reader = "ccxt's" if row.is_unified else "own"
        cells = (
            f"{row.display_name} (`{venue}`)",
            _level(venue, proof),
            reader,
            proof.cases,
            wallets,
            probed,
            _streams(row, proof),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, *_left_out()]) + "\n"


def _left_out() -> list[str]:
    """What of open positions is not read."""
    told = [f"- {exchanges.load(venue).display_name}, {what}: {why}." for venue, what, why in LEFT_OUT]
    return [
        "",
        "## Open positions that are left out",
        "",
        "A position counts beside the balances only where the operator documents, or a sample shows, what a balance has in it.",
        "Where nothing does, it is left out of the list and of every total (looked up on 2026-11-28).",
        "",
        *told,
    ]


def confirmed_by_users() -> str:
    """How many exchanges' present connectors users have confirmed, as the page and the README say it."""
    count = sum(live_of(venue) is not None for venue in exchanges.ids())
    return f"Confirmed live by users: {count} {'venue' if count == 1 else 'venues'}"


def _level(venue: str, proof: VenueProof) -> str:
    live = live_of(venue)
    return proof.proof if live is None else f"live ({live.date}, until {iso(live.ends_at)[:10]}), else {proof.proof}"


def _streams(row: ExchangeRow, proof: VenueProof) -> str:
    back: dict[str, int | None] = {}
    for stream in row.reading.streams:
        back.setdefault(stream.kind, stream.look_back_ms)
    texts = []
    live = live_of(row.id)
    for kind, proved in proof.streams.items():
        level = "live" if live is not None and kind in live.streams else proved
        days = back[kind]
        notes: list[str] = [level] if level != "listed" else []
        notes += [f"{days // DAY_MS} days"] if days else []
        texts.append(f"{kind} ({', '.join(notes)})" if notes else kind)
    return ", ".join(texts)
