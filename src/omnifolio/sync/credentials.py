"""The only place where a credential is opened: for the length of one slice, after the venue has said what it may do.

New credentials wait sealed in the intake. The venue is asked for their rights first; a key that can do more than the team's
policy allows is wiped and named, every other one is kept under its user's key. Kept credentials are asked about once in every
round, and what has changed of them is told with the account and in the audit (`sync/drift`).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Literal

from sqlalchemy.engine import Connection

from omnifolio.catalog import exchanges
from omnifolio.catalog.oauth import CODE
from omnifolio.ledger import accounts, outbox
from omnifolio.model.accounts import Certificate, Principal
from omnifolio.model.clock import Clock
from omnifolio.model.errors import ExcessPermission, MissingPermission, NeedsReconnect, NotFound, SecretUnreadable
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store.engine import Store
from omnifolio.sync import drift
from omnifolio.sync.consents import Consents
from omnifolio.transport.egress import Egress
from omnifolio.vault import open as vault
from omnifolio.vault.keystore import KeyStore
from omnifolio.venues.contract import Access, Known, Reader

Note = Callable[[Connection, Principal, str, AccountId], None]
"""Writes into the audit what was done with an account's credential, in the transaction that does it."""


class Doorkeeper:
    """Opens an account for a reader, and closes it behind it."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        egress: Egress,
        keys: KeyStore,
        reader_for: Callable[[str], Reader],
        base_urls: Mapping[str, str],
        on_trade: Literal["warn", "refuse"],
        note: Note,
        consents: Consents,
    ) -> None:
        self._store = store
        self._clock = clock
        self._egress = egress
        self._keys = keys
        self._reader_for = reader_for
        self._base_urls = base_urls
        self._on_trade = on_trade
        self._note = note
        self._consents = consents

    @asynccontextmanager
    async def open(self, principal: Principal, account: accounts.Account, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        """The account's reader and access, with rights checked where that is due: for a new key, and once in each round.

        Raises: ExcessPermission (the credential is wiped before), MissingPermission, SecretUnreadable, VaultUnavailable,
        VenueError.
        """
        async with self._opened(principal, account, known, is_check_due=self._is_check_due(account)) as opened:
            yield opened

    @asynccontextmanager
    async def open_between(
        self, principal: Principal, account: accounts.Account, known: Known
    ) -> AsyncIterator[tuple[Reader, Access]]:
        """The same between two rounds, which ask what the key may do: here only a new one is asked about. Raises: as `open`."""
        async with self._opened(principal, account, known, is_check_due=False) as opened:
            yield opened

    @asynccontextmanager
    async def _opened(
        self, principal: Principal, account: accounts.Account, known: Known, *, is_check_due: bool
    ) -> AsyncIterator[tuple[Reader, Access]]:
        if account.is_waiting:
            source = (account.imported_from or "").capitalize()
            raise NeedsReconnect(f"imported from {source}; reconnect {account.venue} to go on, what is here stays")
        reader = self._reader_for(account.venue)
        calls_before = self._egress.calls[account.venue, account.key_label]
        taken = await self._store.write_sync(vault.open_intake, principal, account.id, self._keys)
        is_new = taken is not None
        if taken is not None and CODE in taken.secrets:
            # What a consent brings cannot be had again: it is kept before anybody is asked about it.
            secrets, taken = await self._consents.complete(principal, account.id, account.venue, taken), None
        else:
            secrets = taken.secrets if taken is not None else await self._kept(principal, account)
        access = Access(
            venue=account.venue,
            egress=self._egress,
            clock=self._clock,
            key_label=account.key_label,
            secrets=secrets,
            fields=account.fields,
            base_url=self._base_urls.get(account.venue),
            explorer_url=self._base_urls.get(f"{account.venue}-explorer"),
            known=known,
        )
        try:
            if is_new or is_check_due:
                await self._check(principal, account, reader, access, taken, is_new=is_new)
            yield reader, access
        finally:
            access.secrets = {}
            calls = self._egress.calls[account.venue, account.key_label] - calls_before
            await self._store.write(accounts.count_calls, account.id, calls)

    async def _kept(self, principal: Principal, account: accounts.Account) -> dict[str, Secret]:
        try:
            kept = await self._store.read(vault.open_version, principal, account.id, self._keys)
        except NotFound:
            if account.key_hint:
                raise SecretUnreadable("the credential of this account was not kept, so there is nothing to read with") from None
            return {}  # an address needs no credential
        return await self._consents.fresh(principal, account.id, account.venue, kept)

    def _is_check_due(self, account: accounts.Account) -> bool:
        """Whether this is the first slice of a round."""
        last = account.certificate
        return last is None or account.round_at is None or last.checked_at < account.round_at

    async def _check(
        self,
        principal: Principal,
        account: accounts.Account,
        reader: Reader,
        access: Access,
        taken: vault.Taken | None,
        *,
        is_new: bool,
    ) -> None:
        told = await reader.certificate(access)
        certificate = drift.compared(account.certificate, told, is_new_key=is_new)
        excess = _excess(certificate, self._on_trade)
        has_drifted = certificate.changes != (account.certificate.changes if account.certificate else ())

        def op(conn: Connection) -> None:
            is_news = not drift.is_same(account.certificate, certificate)
            accounts.certify(conn, principal, account.id, certificate, self._clock.now(), is_news=is_news)
            if taken is None:
                if excess:
                    vault.forget(conn, principal, account.id)
            elif excess:
                vault.refuse(conn, principal, account.id, taken)
            else:
                vault.accept(conn, principal, account.id, taken, self._keys, now=self._clock.now())
            if excess or is_new:
                self._note(conn, principal, "credential.wiped" if excess else "credential.kept", account.id)
            if has_drifted:
                codes = sorted({change.code for change in certificate.changes if change.at == certificate.checked_at})
                outbox.note(
                    conn, principal, "connection.permissions_changed", self._clock.now(), account=account.id, changes=codes
                )
                self._note(conn, principal, "credential.changed", account.id)

        await self._store.write_sync(op)
        if excess:
            named = exchanges.load(account.venue).display_name if account.venue in exchanges.ids() else account.venue
            raise ExcessPermission(
                f"this key can do more than read, so it was not kept; at {named}, turn off {', '.join(certificate.switches)}, "
                "or make a new key that can only read"
            )
        if certificate.missing:
            raise MissingPermission(f"this key may not read {', '.join(certificate.missing)}")


def _excess(certificate: Certificate, on_trade: Literal["warn", "refuse"]) -> bool:
    return certificate.state == "can_withdraw" or (certificate.state == "can_trade" and on_trade == "refuse")
