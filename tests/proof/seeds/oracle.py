"""What must hold after every slice, every round, and in the end: nothing lost, doubled, zeroed, or withheld in silence."""

from collections import Counter
from decimal import Decimal

from omnifolio.ledger import coverage
from omnifolio.model.amounts import canonical
from omnifolio.model.errors import OmnifolioError
from tests.proof.seeds.faults import Wire
from tests.proof.seeds.house import House, rows
from tests.proof.seeds.world import Entry, Place, World, line_of

HELD = (
    "SELECT o.product, k.ticker, o.amount FROM observations o JOIN wallets w ON w.id = o.wallet_id "
    "JOIN tokens k ON k.id = o.token_id WHERE w.account_id = ? AND o.until IS NULL"
)
LOOKS = (
    "SELECT s.product, s.last_seen, s.suspect IS NOT NULL FROM snapshots s JOIN wallets w ON w.id = s.wallet_id "
    "WHERE w.account_id = ?"
)
CLAIMS = "SELECT book, ref FROM claims WHERE account_id = ? AND is_withdrawn = 0"
TRANSACTIONS = "SELECT id, name, at FROM transactions WHERE account_id = ? AND state = 'live'"
LEGS = (
    "SELECT l.transaction_id, k.ticker, l.amount FROM legs l JOIN tokens k ON k.id = l.token_id "
    "JOIN transactions t ON t.id = l.transaction_id WHERE t.account_id = ?"
)
SUMS = (
    "SELECT k.ticker, s.amount FROM sums s JOIN wallets w ON w.id = s.wallet_id JOIN tokens k ON k.id = s.token_id "
    "WHERE w.account_id = ?"
)
SHOWN_MAX = 3


class Wrong(BaseException):
    """Money is wrong, or its absence is not told. `kind` is lost, doubled, zeroed, unnamed, stale, rude, crashed or endless.

    The product, within which it may be found, does not catch it.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Oracle:
    """Compares the ledger with the world."""

    def __init__(self, house: House, world: World, wire: Wire) -> None:
        self._house, self._world, self._wire = house, world, wire
        self.weak: set[int] = set()
        """Rows (by `id()`) that only a full walk is sure to find."""
        self._shown: set[Place] = set()
        self._seen: dict[str, int] = {}

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = self._house.look(rows, sql, self._house.account)
        return found

    def held(self) -> dict[Place, Decimal]:
        """What the ledger shows, doubted balances included."""
        return {(str(product), str(code)): Decimal(str(amount)) for product, code, amount in self._rows(HELD)}

    def look(self) -> None:
        """After a slice. Raises: Wrong when a balance is falsely gone, an older look won, or the venue was stormed."""
        if self._wire.broken:
            raise Wrong("rude", self._wire.broken[0])
        held = self.held()
        for product in ("spot", "earn"):
            for code, amount in (self._world.spot if product == "spot" else self._world.earn).items():
                place = product, code
                if not amount:
                    self._shown.discard(place)
                elif place in held:
                    self._shown.add(place)
                elif place in self._shown:
                    raise Wrong("zeroed", f"{product} {code} shows nothing, and the venue holds {amount}")
        looks = self._rows(LOOKS)
        for name, at, _ in looks:
            if int(str(at)) < self._seen.get(str(name), 0):
                raise Wrong("stale", f"an older look at {name} took the place of a newer one")
            self._seen[str(name)] = int(str(at))
        self._wire.doubted = {str(name) for name, _, is_doubted in looks if is_doubted}
        if not self._wire.doubted:
            self._wire.lied_at = None

    def look_at_round(self, began: int) -> None:
        """After a round. Raises: Wrong when rows that were there in time are missing and no gap names them, or a crash."""
        gaps = self._house.look(coverage.gaps_of, self._house.account)
        named = {gap.stream for gap in gaps if gap.is_failure}
        crashed = [gap.text for gap in gaps if gap.code == OmnifolioError.code]
        if crashed:
            raise Wrong("crashed", crashed[0])
        state = self._house.state()
        if state.scanned_at is None or state.scanned_at <= began:
            return  # No history was read: every call takes time.
        told = {(book, ref) for book, ref in self._rows(CLAIMS)}
        for name, entries in self._world.rows.items():
            stream = name if "/" in name else f"{name}/all"
            if stream in named or ("/" in name and "symbols/all" in named):
                continue
            lost = [gap for gap in gaps if gap.stream == stream and gap.start is not None]
            for entry, key in keyed(name, entries):
                if key in told or not entry.visible == entry.at <= began or id(entry) in self._wire.unseen:
                    continue
                if not any(gap.start <= entry.at <= gap.end for gap in lost):
                    raise Wrong(
                        "unnamed", f"{stream} {key[1]} of {entry.at} is missing after the round of {began}, and nothing says so"
                    )

    def is_well(self) -> bool:
        """No failure stands, and no absence is doubted."""
        gaps = self._house.look(coverage.gaps_of, self._house.account)
        return not any(gap.is_failure for gap in gaps) and not any(is_doubted for _, _, is_doubted in self._rows(LOOKS))

    def forget_late(self) -> None:
        """Rows that came late in bad times are sure to be found by the next full walk only."""
        entries = [entry for entries in self._world.rows.values() for entry in entries] + self._world.waiting
        self.weak |= {id(entry) for entry in entries if entry.visible != entry.at} | self._wire.unseen

    def judge(self, *, is_final: bool) -> None:
        """In the end. Raises: Wrong when transactions, sums or balances are not the truth."""
        told, truth = self._transactions(), self._world.truth()
        excused = self._excused(is_final=is_final)
        for name in excused:
            told.pop(name, None)
        wanted = {name: lines for name, lines in truth.items() if name not in excused}
        missing = [line for name, line in wanted.items() if name not in told]
        if missing:
            raise Wrong("lost", f"{len(missing)} transactions, such as {missing[:SHOWN_MAX]}")
        extra = [lines for name, lines in told.items() if name not in wanted or len(lines) > 1]
        if extra:
            raise Wrong("doubled", f"{len(extra)} transactions, such as {extra[:SHOWN_MAX]}")
        other = [(told[name], line) for name, line in wanted.items() if told[name] != [line]]
        if other:
            raise Wrong("lost", f"{len(other)} are not what the venue says, such as {other[:SHOWN_MAX]}")
        self._judge_balances(is_final=is_final and not excused)

    def _judge_balances(self, *, is_final: bool) -> None:
        truth = {
            (product, code): amount for product in ("spot", "earn") for code, amount in self._world.balances(product).items()
        }
        held = self.held()
        if held != truth:
            raise Wrong("zeroed" if truth.keys() - held.keys() else "stale", f"balances {held} are not {truth}")
        if is_final:
            sums = {str(code): canonical(Decimal(str(amount))) for code, amount in self._rows(SUMS) if str(amount) != "0"}
            wanted = {code: canonical(amount) for code, amount in self._world.balances("spot").items()}
            if sums != wanted:
                raise Wrong("doubled", f"the legs sum up to {sums}, not to {wanted}")

    def _transactions(self) -> dict[str, list[str]]:
        legs: dict[object, list[tuple[str, str]]] = {}
        for number, code, amount in self._rows(LEGS):
            legs.setdefault(number, []).append((str(code), str(amount)))
        found: dict[str, list[str]] = {}
        for number, name, at in self._rows(TRANSACTIONS):
            found.setdefault(str(name), []).append(line_of(str(name), int(str(at)), legs.get(number, ())))
        return found

    def _excused(self, *, is_final: bool) -> set[str]:
        """Transactions that need not be right yet, and those at instants that a gap names as beyond reach."""
        gaps = self._house.look(coverage.gaps_of, self._house.account)
        beyond = [(gap.stream.partition("/")[0], gap.start, gap.end) for gap in gaps if gap.code == "page_overflow"]
        excused: set[str] = set()
        for name, entries in self._world.rows.items():
            spans = [(start, end) for stream, start, end in beyond if stream == name]
            if is_final and not spans:
                continue
            for entry, (_, ref) in keyed(name, entries):
                is_beyond = any(start <= entry.at <= end for start, end in spans)
                if is_beyond or (not is_final and id(entry) in self.weak):
                    excused.add(str(entry.body.get("event") or ref))
        return excused


def keyed(name: str, entries: list[Entry]) -> list[tuple[Entry, tuple[str, str]]]:
    """Rows of one list with book and ref of the claim that each of them becomes."""
    if name != "rewards":
        book = name.partition("/")[0]
        return [(entry, (book, entry.ref)) for entry in entries]
    alike, found = Counter[str](), []
    for entry in entries:
        said = f"{entry.at}/{entry.body['asset']}/{entry.body['amount']}"
        alike[said] += 1
        found.append((entry, ("rewards", f"{said}/{alike[said]}")))
    return found
