"""Consents in a worker's hands: a code becomes tokens once, tokens are renewed by one at a time, and taken back at the end.

A venue that rotates takes each refresh token once. So whoever renews holds a lease on the credential's row, and the new tokens
are committed before anything uses them. The whole renewal goes on when its worker is told to stop. What no order of steps can
mend is a process that dies between the venue's answer and our commit: then the account says that it must be linked again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from omnifolio.catalog.oauth import ACCESS, CODE, ENDS, REFRESH
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, SECOND_MS, Clock
from omnifolio.model.errors import BadCredentials, OmnifolioError, StoreUnavailable, VenueBusy
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store.engine import Store
from omnifolio.sync.tokens import TokenEndpoint
from omnifolio.transport.pacing import Sleep
from omnifolio.vault import leaving
from omnifolio.vault import open as vault
from omnifolio.vault.keystore import KeyStore

MARGIN_MS = 3 * MINUTE_MS
"""Tokens are renewed so long before their end: a slice that begins with one ends before it."""
LEASE_MS = 2 * MINUTE_MS
LOOK_S = 0.25
"""How often somebody who waits for another's renewal looks."""
COMMITS_MAX = 20
COMMIT_PAUSE_S = 1.0
REVOCATIONS_MAX = 3

log = logging.getLogger(__name__)

T = TypeVar("T")
Note = Callable[[Connection, Principal, str, AccountId], None]


class Consents:
    """Exchanges, renews and takes back. One per process."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        sleep: Sleep,
        keys: KeyStore,
        endpoint: TokenEndpoint,
        note: Note,
        shred: Callable[[Connection], int],
    ) -> None:
        self._store, self._clock, self._sleep, self._keys = store, clock, sleep, keys
        self._endpoint, self._note, self._shred = endpoint, note, shred
        self._running: set[asyncio.Task[Any]] = set()

    async def settle(self) -> None:
        """Waits for what must not be left half done."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def complete(self, principal: Principal, account: AccountId, venue: str, taken: vault.Taken) -> dict[str, Secret]:
        """Turns a sealed consent into the credential and keeps it before it is used.

        Raises: BadCredentials (the consent is dropped) when the venue refuses the code; VenueError; NotFound.
        """
        assert CODE in taken.secrets

        async def whole() -> dict[str, Secret]:
            try:
                found = await self._endpoint.exchange(venue, taken.secrets)
            except BadCredentials:
                await self._store.write_sync(vault.refuse, principal, account, taken)
                raise

            def op(conn: Connection) -> None:
                new = vault.Taken(taken.intake_id, found)
                vault.accept(conn, principal, account, new, self._keys, now=self._clock.now())

            await self._committed(op)
            return found

        return await self._unbroken(whole())

    async def fresh(self, principal: Principal, account: AccountId, venue: str, kept: vault.Kept) -> dict[str, Secret]:
        """The kept credential with tokens that live for a while yet. Raises: BadCredentials; VenueError; VenueBusy."""
        until = self._clock.monotonic() + LEASE_MS / SECOND_MS
        while self._is_old(kept.secrets):
            if REFRESH not in kept.secrets:
                raise BadCredentials("this consent has ended; link the account again")
            if await self._store.write_sync(vault.lease, account, kept.version, now=self._clock.now(), length_ms=LEASE_MS):
                return await self._unbroken(self._renewed(principal, account, venue, kept))
            if self._clock.monotonic() >= until:
                raise VenueBusy("the tokens of this account are being renewed elsewhere", retry_after_s=LEASE_MS / SECOND_MS)
            await self._sleep(LOOK_S)
            kept = await self._store.read(vault.open_version, principal, account, self._keys)
        return kept.secrets

    async def take_back(self) -> None:
        """Asks the venues to forget what accounts left behind, notes the outcome, and destroys the keys."""
        for left in await self._store.read(leaving.waiting):
            try:
                secrets = vault.open_record(self._keys, left.place, left.version, left.record)
                is_done = await self._endpoint.revoke(left.place.venue, secrets)
            except OmnifolioError:
                if left.tries + 1 < REVOCATIONS_MAX:
                    await self._store.write_sync(leaving.tried, left)
                    continue
                is_done = False

            def op(conn: Connection, left: leaving.Leaving = left, is_done: bool = is_done) -> None:
                leaving.done(conn, left)
                self._shred(conn)
                self._note(conn, left.principal, "consent.revoked" if is_done else "consent.not_revoked", left.account)

            try:
                await self._store.write_sync(op)
            except OmnifolioError as error:
                # It stays set aside, and the planner that calls this goes on.
                log.warning("consent_kept account=%s code=%s", left.account, error.code)

    def _is_old(self, secrets: Mapping[str, Secret]) -> bool:
        return ACCESS in secrets and int(secrets[ENDS].reveal()) - MARGIN_MS <= self._clock.now()

    async def _renewed(self, principal: Principal, account: AccountId, venue: str, kept: vault.Kept) -> dict[str, Secret]:
        try:
            found = await self._endpoint.refresh(venue, kept.secrets)
        except OmnifolioError:
            await self._store.write_sync(vault.release, account, kept.version)
            raise

        def op(conn: Connection) -> None:
            vault.renew(conn, principal, account, vault.Kept(kept.version, found), self._keys, now=self._clock.now())

        await self._committed(op)
        return found

    async def _committed(self, op: Callable[[Connection], None]) -> None:
        """Commits, again and again where the database is away for a moment: the venue will not say this twice."""
        for left in reversed(range(COMMITS_MAX)):
            try:
                await self._store.write_sync(op)
            except StoreUnavailable:
                if not left:
                    raise
                await self._sleep(COMMIT_PAUSE_S)
            else:
                return

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs to its end whatever becomes of who waits for it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)
