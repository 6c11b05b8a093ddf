"""The simulated exchange at the end of the real way out: it answers from its world, and does to answers what venues do.

A fault strikes one call, or stays at one path for a few: the first kind must be overcome within the call, the second one costs
the stream its round. Everything that is drawn comes from the seed.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from omnifolio.catalog.streams import StreamRow
from omnifolio.model.clock import MINUTE_MS, SECOND_MS, EpochMs
from omnifolio.model.errors import VenueUnavailable
from omnifolio.transport.http import Answer, Request
from tests.proof.seeds.exchange import PAGE, PRODUCTS, STALE, STREAMS
from tests.proof.seeds.world import Entry, World

SKEW_MS = 5 * MINUTE_MS
TOLERANCE_MS = MINUTE_MS
"""A signature's time may be this far from the venue's."""
BAN_S = 7_200
LIE_AGAIN_MS = 9 * MINUTE_MS
"""A venue that says twice, ten minutes apart, that something is gone is believed; the simulated ones lie for less than that."""
FIRST_LIE_CHANCE, LIE_CHANCE, LIE_AGAIN_CHANCE = 0.03, 0.12, 0.85
"""At the first look of all nothing is known that a lie could take away."""
LIE_TURNS_CHANCE = 0.4
"""How often a lie that goes on becomes another one: the rest is gone as well, or some of it has come back."""
STICKS = (4, 40)
"""More calls for which a fault stays, where it stays: a round is lost, or several."""
SUBTLE_CHANCE = 0.4
"""How many of the faults come as a good answer."""

PLAIN = ("reset", "truncated", "web page", "empty object", "500", "503", "429", "418", "clock skew")
HISTORY = ("page shift", "duplicates", "shuffled", "dropped page")
BALANCES = ("empty balances", "half balances")
TURNS = {"half balances": "then empty balances", "empty balances": "then most balances"}
LIES = (*BALANCES, *TURNS.values())
KINDS = (*PLAIN, *HISTORY, *LIES)
STAYING = ("reset", "truncated", "web page", "empty object", "500", "503")


class Wire:
    """What carries requests to the simulated exchange."""

    def __init__(self, rng: random.Random, world: World, fired: Counter[str], log: Callable[[str], None]) -> None:
        self.rng, self.world, self.fired, self.log = rng, world, fired, log
        self.trouble = 0.0
        self.staying: dict[str, tuple[str, int]] = {}
        self.quiet_until_ms = 0
        self.broken: list[str] = []
        """Rules of the venue that the product broke."""
        self.unseen: set[int] = set()
        """Rows (by `id()`) behind a page that was dropped where nothing tells: only a full walk can find them."""
        self.was_read = False
        """Whether the account's first round is over."""
        self.doubted: set[str] = set()
        """The products of which the ledger doubts an absence."""
        self.lied_at: int | None = None
        self._lie = ("", "")
        self._rows = {row.kind: row for row in STREAMS[world.venue]}

    def heal(self) -> None:
        """The venue is sound from now on."""
        self.trouble, self.staying, self.world.skew_ms = 0.0, {}, 0

    def forgive(self) -> None:
        """A process that is new knows of no pause."""
        self.quiet_until_ms = 0

    async def close(self) -> None:
        """Nothing is held open."""

    async def send(self, request: Request) -> Answer:
        """The answer, whatever its status. Raises: VenueUnavailable where the connection breaks."""
        now, path = self.world.clock.now_ms, request.question.path.rpartition("/")[2]
        if now < self.quiet_until_ms:
            self.broken.append(f"{path} was asked {self.quiet_until_ms - now} ms before the venue wanted to hear anything")
        self.world.clock.advance(self.rng.randint(1, 80))
        if path == "time":
            return self._answer({"time": self.world.clock.now_ms + self.world.skew_ms})
        stamp = int(request.headers["X-BM-TIMESTAMP"])
        if abs(stamp - self.world.clock.now_ms - self.world.skew_ms) > TOLERANCE_MS:
            self.log(f"    {path}: the time of the signature is refused")
            return self._answer({"error": STALE}, status=401)
        kind = self._fault(path)
        if kind:
            self.fired[kind] += 1
        answer = self._troubled(kind, path, dict(request.question.params))
        self.log(
            f"    {path} {dict(request.question.params)} -> {answer.status}, {len(answer.body)} bytes {kind and f'[{kind}]'}"
        )
        return answer

    def _fault(self, path: str) -> str:
        kind, left = self.staying.get(path, ("", 0))
        if left:
            self.staying[path] = (kind, left - 1)
            return kind
        if path in PRODUCTS and self.trouble and self._may_lie(path):
            is_again = self.lied_at is not None and self._lie[0] == path
            chance = LIE_AGAIN_CHANCE if is_again else LIE_CHANCE if self.was_read else FIRST_LIE_CHANCE
            if self.rng.random() < chance:
                self._lie = (path, self._turned(self._lie[1]) if is_again else self.rng.choice(BALANCES))
                return self._lie[1]
        if self.rng.random() >= self.trouble:
            return ""
        is_subtle = path in self._rows and path != "symbols" and self.rng.random() < SUBTLE_CHANCE
        choice = self.rng.choice(HISTORY if is_subtle else PLAIN)
        if choice == "duplicates" and path == "rewards":
            # Of rows without ids, one that is repeated is one more.
            return ""
        if choice in STAYING and self.rng.random() < 0.5:
            self.staying[path] = (choice, self.rng.choice(STICKS))
        return choice

    def lied_about(self) -> str:
        """The product whose absence is doubted now; "" when none is."""
        return self._lie[0] if self.lied_at is not None else ""

    def _turned(self, lie: str) -> str:
        """The lie as it goes on. One that grows begins anew for what it takes away now; one that shrinks takes so little away
        that it is doubted only by a ledger that has seen it before."""
        if lie not in TURNS or self.rng.random() >= LIE_TURNS_CHANCE:
            return lie
        if lie == "half balances":
            self.lied_at = self.world.clock.now_ms
        elif self._lie[0] not in self.doubted:
            return lie
        return TURNS[lie]

    def _may_lie(self, path: str) -> bool:
        if any(product == path for product, _ in self.world.sold):
            return False
        return self.lied_at is None or self.world.clock.now_ms - self.lied_at < LIE_AGAIN_MS

    def _troubled(self, kind: str, path: str, asked: dict[str, str]) -> Answer:
        """The answer with what goes wrong on its way."""
        if kind == "reset":
            raise VenueUnavailable("the connection was closed")
        if kind in ("500", "503"):
            return self._answer({"error": "internal"}, status=int(kind))
        if kind == "418":
            self.quiet_until_ms = self.world.clock.now_ms + BAN_S * SECOND_MS
            return self._answer({"error": "banned"}, status=418, headers={"retry-after": str(BAN_S)})
        if kind == "429":
            pause_s = self.rng.choice((3, 30, 600))
            self.quiet_until_ms = self.world.clock.now_ms + pause_s * SECOND_MS
            return self._answer({"error": "slow down"}, status=429, headers={"retry-after": str(pause_s)})
        if kind == "web page":
            return self._answer(None, status=self.rng.choice((200, 502)), raw=b"<html><body>We will be back</body></html>")
        if kind == "empty object":
            return self._answer({})
        if kind == "clock skew":
            self.world.skew_ms = self.rng.choice((-SKEW_MS, SKEW_MS))
            return self._answer({"error": STALE}, status=401)
        body = self._balances(kind, path) if path in PRODUCTS else self._page(kind, path, asked)
        raw = msgspec.json.encode(body)
        return self._answer(None, raw=raw[: len(raw) // 2] if kind == "truncated" else raw)

    def _answer(self, body: Any, *, status: int = 200, headers: dict[str, str] | None = None, raw: bytes | None = None) -> Answer:
        content = msgspec.json.encode(body) if raw is None else raw
        return Answer(status=status, headers=headers or {}, body=content, received_at=EpochMs(self.world.clock.now_ms))

    def _balances(self, kind: str, path: str) -> dict[str, Any]:
        held = self.world.balances(path)
        rows = [{"asset": code, "amount": f"{amount:f}"} for code, amount in sorted(held.items())]
        if kind in LIES:
            self.lied_at = self.world.clock.now_ms if self.lied_at is None else self.lied_at
            # Less than half may be gone without a doubt: a venue that begins by leaving out more is doubted.
            rows = {"half balances": rows[: (len(rows) - 1) // 2], "then most balances": rows[1:]}.get(kind, [])
        return {"rows": rows}

    def _page(self, kind: str, path: str, asked: dict[str, str]) -> dict[str, Any]:
        if kind == "page shift":
            for _ in range(self.rng.randint(1, 4)):
                self.world.happen()
        if path == "symbols":
            return {"rows": self.world.symbols()}
        row = self._rows[path]
        name = f"{path}/{asked['symbol']}" if row.is_per_scope else path
        entries = self.world.of(name)
        page, edges = _PAGES[row.pager](row, entries, asked)
        if kind == "dropped page" and page:
            if not (edges.get("total", 0) - int(asked.get("offset", 0)) >= row.page_rows):
                self.unseen |= {id(entry) for entry in entries}
            page, edges = [], {name: value for name, value in edges.items() if name == "total"}
        if kind == "duplicates":
            page = page + page[:2]
        if kind == "shuffled":
            page = self.rng.sample(page, len(page))
        return {"rows": [entry.body for entry in page], **edges}


Pages = tuple[list[Entry], dict[str, Any]]
"""The rows of a page and what the venue says beside them."""


def _newest_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.at, entry.n), reverse=True)


def _between(row: StreamRow, entries: list[Entry], asked: dict[str, str]) -> Pages:
    start, end = int(asked["start"]), int(asked["end"])
    within = _newest_first([entry for entry in entries if start <= entry.at <= end])
    if row.cursor_param:
        return _after(within, asked)
    if not row.offset_param:
        return within[:PAGE], {}
    first = int(asked[row.offset_param])
    if row.offset_unit == "rows":
        return within[first : first + PAGE], {"total": len(within)}
    first = (first - row.first_page) * PAGE
    return within[first : first + PAGE], {}


def _after(entries: list[Entry], asked: dict[str, str]) -> Pages:
    """The page after the row that the cursor names."""
    place = 0
    if "cursor" in asked:
        place = next(place for place, entry in enumerate(entries) if str(entry.n) == asked["cursor"]) + 1
    page = entries[place : place + PAGE]
    return page, {"next": str(page[-1].n) if place + PAGE < len(entries) else ""}


def _by_cursor(row: StreamRow, entries: list[Entry], asked: dict[str, str]) -> Pages:
    return _after(_newest_first(entries), asked)


def _by_time(row: StreamRow, entries: list[Entry], asked: dict[str, str]) -> Pages:
    start, limit = int(asked["start"]), int(asked["limit"])
    return sorted((entry for entry in entries if entry.at >= start), key=lambda entry: (entry.at, entry.n))[:limit], {}


def _by_id(row: StreamRow, entries: list[Entry], asked: dict[str, str]) -> Pages:
    return [entry for entry in entries if entry.n >= int(asked["from"])][:PAGE], {}


_PAGES: dict[str, Callable[[StreamRow, list[Entry], dict[str, str]], Pages]] = {
    "window": _between,
    "cursor": _by_cursor,
    "time": _by_time,
    "id": _by_id,
}
