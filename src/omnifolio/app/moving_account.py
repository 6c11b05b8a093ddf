"""One account on its way from Vezgo: filed under the id that it had, then page by page, until everything is here."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app.brands import BRAND
from omnifolio.app.moving_homes import Home
from omnifolio.app.runtime import Runtime
from omnifolio.ledger import accounts, aliases, coverage, joining, overview, quotes, read
from omnifolio.ledger.commit import commit
from omnifolio.ledger.read import Filter
from omnifolio.model.accounts import AccountStatus, Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs, iso
from omnifolio.model.errors import (
    BadCredentials,
    InvalidField,
    NeedsReconnect,
    NotFound,
    OmnifolioError,
    StoreUnavailable,
    SyncInProgress,
    VenueBusy,
)
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.model.ids import AccountId
from omnifolio.transport.pacing import BUSY_DEFAULT_S
from omnifolio.vault.seal import fingerprint
from omnifolio.venues.vezgo import reader as vezgo
from omnifolio.venues.vezgo import rows
from omnifolio.venues.vezgo.plan import NAME_CHARS_MAX, text_of
from omnifolio.venues.vezgo.reader import ACCOUNT, TRANSACTIONS, Client

T = TypeVar("T")

SERVICE = "vezgo"
OWNER = "import vezgo"
"""Who holds an account's lease meanwhile: an import that was cut off is gone on with at once."""
LEASE_MS = 5 * MINUTE_MS
WAITS_MAX = 100
"""So often one account's reading waits because Vezgo asks for it."""
END_OF_TIME = EpochMs(2**53)
_WAITING: Mapping[str, AccountStatus] = {"wallets": "error", "balances": "error", "transactions": "error"}

Outcome = Literal["imported", "known", "unfinished", "left_out", "would_import"]
Say = Callable[[str], None]


class MovedAccount(Struct, frozen=True, kw_only=True):
    """What became of one account. `transactions` are those that Vezgo told, `new` those that were not known here.

    `unfinished` is here and can be gone on with; nothing of one that was `left_out` is. `unread` says what was left out and why;
    `is_known_venue` whether it can be connected again here.
    """

    id: str
    provider: str
    venue: str
    is_known_venue: bool
    outcome: Outcome
    transactions: int = 0
    new: int = 0
    balances: int = 0
    unread: tuple[str, ...] = ()


class Task(Struct, frozen=True, kw_only=True):
    """One account's import: as Vezgo lists it (`row`), its id there and here (`wire`), and where it goes."""

    runtime: Runtime
    client: Client
    principal: Principal
    wire: str
    row: Mapping[str, Any]
    home: Home
    say: Say

    @property
    def told(self) -> MovedAccount:
        """The account before anything was done."""
        home = self.home
        return MovedAccount(
            id=self.wire, provider=home.provider, venue=home.venue, is_known_venue=home.is_known, outcome="left_out"
        )


async def preview(task: Task) -> MovedAccount:
    """What taking the account over would bring; nothing is saved. Raises: VenueError."""
    page = vezgo.planned(await patiently(task.runtime, lambda: task.client.account(task.wire), task.say), task.home.plan)
    now = vezgo.READER.decode(task.home.venue, ACCOUNT, (page,))
    count, unread = 0, [gap.text for gap in now.gaps]
    async for answer in _pages(task, ""):
        batch = vezgo.READER.decode(task.home.venue, TRANSACTIONS, (vezgo.planned(answer, task.home.plan),))
        count += len(batch.claims)
        unread += [gap.text for gap in batch.gaps]
    balances = sum(len(snapshot.balances) for snapshot in now.snapshots)
    return replace(task.told, outcome="would_import", transactions=count, balances=balances, unread=_once(unread))


async def take_over(task: Task) -> MovedAccount:
    """Brings the account, or what is new of one that is here already.

    Raises: InvalidField for an id that cannot be kept; SyncInProgress; VenueError.
    """
    context, principal = task.runtime.context, task.principal
    known = await context.store.read(aliases.owner, task.wire)
    number = known[0] if known else await context.store.write(partial(_file, task))
    await context.learn_ids(context.ids.learned + 1)
    try:
        account = await context.store.read(accounts.get, principal, number, context.clock.now())
    except NotFound:
        is_ours = known is not None and known[1] == principal.data_user
        reason = "it was removed here, and stays removed" if is_ours else "another user here has its id; nothing was written"
        raise InvalidField(reason) from None
    try:
        done = await _read(task, number, is_waiting=account.is_waiting)
    except (BadCredentials, StoreUnavailable):
        raise
    except OmnifolioError as error:
        return replace(task.told, outcome="unfinished", unread=(error.message,))
    return replace(done, outcome="known" if known else "imported")


async def _read(task: Task, number: AccountId, *, is_waiting: bool) -> MovedAccount:
    """All that Vezgo tells of an account that is filed."""
    context, principal = task.runtime.context, task.principal
    async with _leased(task, number) as fence:
        before = (await context.store.read(overview.counts, principal, number)).transactions
        balances, unread = await _balances(task, number, fence) if is_waiting else (0, [])
        count, more = await _history(task, number, fence)
        if is_waiting:
            await context.store.write(partial(_say_what_is_here, task, number))
        else:
            await context.store.write_sync(
                joining.join, principal, number, book=rows.BOOK, fence=fence, now=context.clock.now(), is_whole=True
            )
        after = (await context.store.read(overview.counts, principal, number)).transactions
    return replace(task.told, transactions=count, new=after - before, balances=balances, unread=_once([*unread, *more]))


def _file(task: Task, conn: Connection) -> AccountId:
    """A new account that waits to be connected, with the id that it had. Raises: InvalidField."""
    context, home = task.runtime.context, task.home
    if context.ids.is_ours(task.wire):
        raise InvalidField("its id could be one that this installation gives out; link it here instead")
    now = context.clock.now()
    brand = {BRAND: home.brand} if home.brand else {}
    account = accounts.add(
        conn,
        task.principal,
        venue=home.venue,
        fingerprint=fingerprint(context.edge.fingerprint, SERVICE, {"account": task.wire}),
        now=now,
        name=text_of(task.row.get("name"), NAME_CHARS_MAX) or None,
        fields={accounts.IMPORTED_FROM: SERVICE, accounts.WAITING: str(now), **brand},
    )
    aliases.add(conn, task.principal, account, task.wire)
    _set_waiting(task, account, f"imported from Vezgo; reconnect {home.display_name} to go on", conn)
    context.note(conn, task.principal, "account.imported", task.wire)
    return account


def _set_waiting(task: Task, account: AccountId, text: str, conn: Connection) -> None:
    now = task.runtime.context.clock.now()
    accounts.set_state(
        conn, task.principal, account, now, status="error", progress=_WAITING, error_code=NeedsReconnect.code, error_text=text,
        next_sync_at=None,
    )  # fmt: skip


def _say_what_is_here(task: Task, account: AccountId, conn: Connection) -> None:
    days = []
    for is_ascending in (True, False):
        wanted = Filter(start=EpochMs(0), end=END_OF_TIME, limit=1, is_ascending=is_ascending)
        days += [iso(event.at)[:10] for event in read.page(conn, task.principal, account, wanted)]
    history = f"with its history from {days[0]} to {days[1]}" if days else "without history"
    name = task.home.display_name
    action = f"reconnect {name} to go on" if task.home.is_known else f"{name} cannot be connected here yet, so it stays as it is"
    text = f"imported from Vezgo {history}; {action}"
    found = accounts.get(conn, task.principal, account, task.runtime.context.clock.now())
    if found.is_waiting and found.error_text != text:
        _set_waiting(task, account, text, conn)


async def _balances(task: Task, account: AccountId, fence: int) -> tuple[int, list[str]]:
    """What Vezgo saw last: the number of balances, and what could not be read of them."""
    page = vezgo.planned(await patiently(task.runtime, lambda: task.client.account(task.wire), task.say), task.home.plan)
    batch = vezgo.READER.decode(task.home.venue, ACCOUNT, (page,))
    await _commit(task, account, batch, page, fence)
    return sum(len(snapshot.balances) for snapshot in batch.snapshots), [gap.text for gap in batch.gaps]


async def _history(task: Task, account: AccountId, fence: int) -> tuple[int, list[str]]:
    """Every page from where an earlier run was cut off: the number of transactions, and what could not be read."""
    token = await task.runtime.context.store.read(coverage.cursor_of, account, TRANSACTIONS)
    count, unread = 0, list[str]()
    async for answer in _pages(task, str(json.loads(token)["last"]) if token else ""):
        page = vezgo.planned(answer, task.home.plan)
        told = rows.listed(page)
        batch = vezgo.READER.decode(task.home.venue, TRANSACTIONS, (page,))
        following = json.dumps({"last": told[-1]["id"]}, separators=(",", ":")) if told else ""
        await _commit(task, account, replace(batch, cursor=Cursor(TRANSACTIONS, following), done=not told), page, fence)
        count += len(batch.claims)
        unread += [gap.text for gap in batch.gaps]
        task.say(f"{task.home.display_name}: {count} transactions")
    return count, unread


async def _commit(task: Task, account: AccountId, batch: Batch, page: Evidence, fence: int) -> None:
    """A page with the prices that its stated values imply, and a longer lease: one transaction."""
    context = task.runtime.context
    prices = vezgo.stated_prices(task.home.venue, page) if batch.claims else []
    keeps = context.settings.evidence == "keep"

    def op(conn: Connection) -> None:
        now = context.clock.now()
        commit(conn, task.principal, account, batch, fence=fence, now=now, keep_bodies=keeps)
        quotes.put(conn, prices)
        accounts.extend(conn, account, fence=fence, until=EpochMs(now + LEASE_MS))

    await context.store.write_sync(op)


async def _pages(task: Task, last: str) -> AsyncIterator[Evidence]:
    """The pages after `last`; where Vezgo asks to wait, it is waited, and gone on with."""
    for _ in range(WAITS_MAX):
        try:
            async for page in task.client.transactions(task.wire, last):
                yield page
                told = rows.listed(page)
                last = told[-1]["id"] if told else last
            return
        except VenueBusy as error:
            await _wait(task.runtime, error, task.say)
    raise VenueBusy("Vezgo asks to wait again and again; run the import again later")


async def patiently(runtime: Runtime, ask: Callable[[], Awaitable[T]], say: Say) -> T:
    """The answer, waited for as often as Vezgo asks for it. Raises: VenueBusy when that does not end."""
    for _ in range(WAITS_MAX):
        try:
            return await ask()
        except VenueBusy as error:
            await _wait(runtime, error, say)
    raise VenueBusy("Vezgo asks to wait again and again; run the import again later")


async def _wait(runtime: Runtime, error: VenueBusy, say: Say) -> None:
    """Lets the time pass that Vezgo asks for."""
    seconds = max(error.retry_after_s, BUSY_DEFAULT_S)
    say(f"Vezgo asks to wait for {seconds:.0f} s")
    await runtime.egress.wait(seconds)


@contextlib.asynccontextmanager
async def _leased(task: Task, account: AccountId) -> AsyncIterator[int]:
    context = task.runtime.context
    fence = await context.store.write(
        accounts.lease, task.principal, account, owner=OWNER, now=context.clock.now(), length_ms=LEASE_MS
    )
    if fence is None:
        raise SyncInProgress("this account is being synchronised right now; import again when that is done", existing=account)
    try:
        yield fence
    finally:
        await context.store.write(accounts.release, account, fence=fence)


def _once(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
