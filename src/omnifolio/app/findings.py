"""What a verification found, in plain words: one finding a check, judged from pages alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import EpochMs, iso
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.facts import Batch, Claim, Cursor

Outcome = Literal["ok", "warning", "failed"]
OFFSET_OK_MS, OFFSET_TAKEN_MS = 1_000, 5_000
"""How far a clock may be off: what no venue minds, and what most still take."""
NAMED_MAX = 3
"""So many unreadable rows are named in a line; the others are counted."""


class Finding(Struct, frozen=True, kw_only=True):
    """One check: how it went, what that means, and what to do about it."""

    check: str
    outcome: Outcome
    text: str
    action: str = ""
    code: str = ""


class StreamRead(Struct, kw_only=True):
    """What was read of one stream: its pages, whether they are all of it, and the error that ended it."""

    name: str
    is_balances: bool
    pages: list[Batch] = []
    is_whole: bool = False
    error: OmnifolioError | None = None


def clock(offset_ms: int | None) -> Finding:
    """How this machine's clock stands to the venue's; None where the venue told no time."""
    if offset_ms is None:
        return Finding(
            check="clock",
            outcome="warning",
            text="unknown: the venue told no time",
            action="Let the machine set its clock by NTP.",
        )
    text = f"this machine's clock is {-offset_ms / 1000:+.1f} s from the venue's"
    if abs(offset_ms) <= OFFSET_OK_MS:
        return Finding(check="clock", outcome="ok", text=text)
    means = "most signatures still pass" if abs(offset_ms) <= OFFSET_TAKEN_MS else "it is allowed for when a signature is refused"
    return Finding(check="clock", outcome="warning", text=f"{text}: {means}", action="Let the machine set its clock by NTP.")


def permission(found: Certificate, *, refuses_trading: bool) -> Finding:
    """What the key may do."""
    beside = [f"turn off {', '.join(found.switches)}"] if found.switches else []
    if found.ip_restricted is not None:
        beside.append("bound to IP addresses" if found.ip_restricted else "not bound to IP addresses")
    if found.expires_at is not None:
        beside.append(f"expires {iso(EpochMs(found.expires_at))[:10]}")
    rest = "".join(f"; {text}" for text in beside)
    if found.state == "can_withdraw":
        return Finding(
            check="permission",
            outcome="failed",
            code="excess_permission",
            text=f"this key can move funds or do things that are not known to be harmless{rest}; nothing more was read with it",
            action="Delete it at the venue, and make one that can only read.",
        )
    if found.missing:
        return Finding(
            check="permission",
            outcome="failed",
            code="missing_permission",
            text=f"the key may not read everything; missing: {', '.join(found.missing)}{rest}",
            action="At the venue, let the key read balances and history, and nothing else.",
        )
    if found.state == "can_trade":
        return Finding(
            check="permission",
            outcome="failed" if refuses_trading else "warning",
            code="excess_permission" if refuses_trading else "",
            text=f"this key can trade; reading needs less{rest}",
            action="Make a key that can only read.",
        )
    if found.state == "unknown":
        return Finding(
            check="permission",
            outcome="warning",
            text=f"unknown: the venue does not say what a key may do{rest}",
            action="Look at the venue's page of API keys that this one can only read.",
        )
    return Finding(check="permission", outcome="ok", text=f"the key can only read (told by {found.method}){rest}")


def refusal(check: str, error: OmnifolioError) -> Finding:
    """A check that ended with an error."""
    return Finding(check=check, outcome="failed", text=error.message, action=error.action, code=error.code)


def stream(read: StreamRead) -> Finding:
    """What the pages of one stream tell of themselves."""
    check = f"stream {read.name}"
    if read.error is not None:
        return refusal(check, read.error)
    said = [f"{rows(read)} rows on {len(read.pages)} {'page' if len(read.pages) == 1 else 'pages'}"]
    said.append("all of it" if read.is_whole else "the beginning of it")
    warned = list(_unread(read)) + list(_between(read.pages))
    if warned:
        action = "Report it with a recording (--record): a row or page is not understood."
        return Finding(check=check, outcome="warning", text="; ".join(said + warned), action=action)
    if sum(bool(page.claims or page.orders) for page in read.pages) > 1:
        said.append("in order of time, no row doubled and no loss told between the pages")
    return Finding(check=check, outcome="ok", text=", ".join(said))


def rows(read: StreamRead) -> int:
    """How many facts the pages told; a row that two pages repeat counts once."""
    told = {(page.cursor.stream, claim.book, claim.ref) for page in read.pages for claim in page.claims}
    orders = {order.ref for page in read.pages for order in page.orders}
    now = [len(snapshot.balances) for page in read.pages for snapshot in page.snapshots]
    now += [len(snapshot.positions) for page in read.pages for snapshot in page.positions]
    return len(told) + len(orders) + sum(now)


def balances(reads: Sequence[StreamRead]) -> Iterator[Finding]:
    """One line for each wallet and product whose balances were read."""
    held: dict[tuple[str, str], int] = {}
    for read in reads:
        for page in read.pages:
            for snapshot in page.snapshots:
                held[snapshot.wallet, snapshot.product] = sum(1 for balance in snapshot.balances if balance.amount)
    for (wallet, product), count in sorted(held.items()):
        yield Finding(check=f"balances {wallet}/{product}", outcome="ok", text=f"{count} {'token' if count == 1 else 'tokens'}")
    if not held:
        text = "no wallet told its balances"
        yield Finding(check="balances", outcome="failed", text=text, action="See the lines of the balance streams.")


def _unread(read: StreamRead) -> Iterator[str]:
    texts = [gap.text for page in read.pages for gap in page.gaps]
    if texts:
        more = len(texts) - NAMED_MAX
        yield f"not read: {'; '.join(texts[:NAMED_MAX])}{f'; and {more} more' if more > 0 else ''}"


def _between(pages: Sequence[Batch]) -> Iterator[str]:
    """What is wrong inside pages and where two follow each other; only pages of one and the same stream do."""
    by_stream: dict[Cursor, list[Batch]] = {}
    for page in pages:
        by_stream.setdefault(Cursor(page.cursor.stream), []).append(page)
    for found in by_stream.values():
        spans = [span for page in found if (span := _span(page.claims)) is not None]
        pairs = list(pairwise(spans))
        if not (all(after[1] <= before[0] for before, after in pairs) or all(after[0] >= before[1] for before, after in pairs)):
            yield "the pages are not in the order of time"
        doubled = [claim for claim, count in Counter(map(_content, _once(found))).items() if count > 1]
        if doubled:
            yield f"{len(doubled)} rows with another name but the same content on both pages: one event may be told twice"


def _span(claims: Sequence[Claim]) -> tuple[int, int] | None:
    times = [claim.at for claim in claims]
    return (min(times), max(times)) if times else None


def _once(pages: Sequence[Batch]) -> Iterator[Claim]:
    """Claims that only one page has, of those that have company: a row that two pages repeat by its name is known as one."""
    pages_of = Counter(ref for page in pages for ref in {(claim.book, claim.ref) for claim in page.claims})
    for page in pages:
        seen = set()
        for claim in page.claims:
            content = _content(claim)
            if pages_of[claim.book, claim.ref] == 1 and content not in seen:
                seen.add(content)
                yield claim


def _content(claim: Claim) -> tuple[object, ...]:
    return claim.book, claim.at, claim.kind, tuple((leg.wallet, leg.token, leg.amount, leg.role) for leg in claim.legs)
