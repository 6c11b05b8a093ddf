"""Connecting an account: check what the user entered, refuse what must not be stored, seal the rest and file the link.

Nothing here talks to the venue. A worker opens what was sealed, asks the venue what the key may do, and reads.
"""

import contextlib
import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app.administer import shred_now
from omnifolio.app.brands import BRAND, NETWORK
from omnifolio.app.context import CONSENT_MARK, Context
from omnifolio.app.offer import NAMES_OF_FIELDS, TITLE, Field, Offer
from omnifolio.app.offers import MANUAL
from omnifolio.app.private_keys import refuse_private_keys
from omnifolio.ledger import accounts
from omnifolio.model.accounts import AccountStatus, Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import AlreadyConnected, InvalidField, SyncInProgress
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store import codec
from omnifolio.vault.admin import request_shred
from omnifolio.vault.leaving import set_aside
from omnifolio.vault.places import place_of
from omnifolio.vault.seal import fingerprint, seal

SYNCING: Mapping[str, AccountStatus] = {"wallets": "syncing", "balances": "syncing", "transactions": "syncing"}
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ADDRESS_FIELDS = frozenset({"wallet", "address", "xpub", "descriptor"})


class Credentials(Struct, frozen=True):
    """What a user entered, checked: public link fields, secrets, what identifies the link, and a hint for people."""

    fields: Mapping[str, str]
    secrets: Mapping[str, Secret]
    fingerprint: bytes
    hint: str


async def link(
    context: Context,
    principal: Principal,
    *,
    provider: str,
    entered: Mapping[str, str],
    name: str | None,
    options: Mapping[str, bool],
) -> AccountId:
    """Connects an account that is due for its first sync at once.

    Raises: NotFound for an unknown provider; InvalidField, PrivateKeyRefused for what was entered; AlreadyConnected naming the
    account that this user already has; VaultUnavailable.
    """
    offer = context.offers.of(provider)
    if offer.name == MANUAL.name:  # its name is all that it has, whichever way it is given
        name = name or entered.get(TITLE)
        entered = {**({TITLE: name} if name else {}), **entered}
    offer, credentials = check_any(offer, entered, fingerprint_key=context.edge.fingerprint)

    def op(conn: Connection) -> AccountId:
        made = file_link(
            conn,
            principal,
            offer,
            credentials,
            name=name,
            options=options,
            publication_key=context.edge.publication,
            now=context.clock.now(),
        )
        context.note(conn, principal, "account.linked", context.ids.wire("account", made))
        return made

    account = await context.store.write(op)
    await wake(context, principal, account)
    return account


async def relink(context: Context, principal: Principal, account: AccountId, entered: Mapping[str, str]) -> None:
    """Gives an account new credentials; its id, history and settings stay, and its next sync is due at once.

    An account that was brought from another service is connected with them for the first time here.

    Raises: NotFound; SyncInProgress; InvalidField, PrivateKeyRefused; AlreadyConnected when another account of the user has them.
    """
    now = context.clock.now()
    found = await context.store.read(accounts.get, principal, account, now)
    offer, credentials = check_any(context.offers.of(found.venue), entered, fingerprint_key=context.edge.fingerprint)
    credentials = replace(credentials, fields={**credentials.fields, **kept_fields(found, now)})

    def op(conn: Connection) -> None:
        renew_link(conn, principal, account, offer, credentials, publication_key=context.edge.publication, now=now)
        context.note(conn, principal, "account.relinked", context.ids.wire("account", account))

    await context.store.write(op)
    await wake(context, principal, account)


async def rename(context: Context, principal: Principal, account: AccountId, name: str) -> None:
    """Gives an account another name. Raises: NotFound."""
    await context.store.write(accounts.change, principal, account, context.clock.now(), name=name)


async def request_sync(context: Context, principal: Principal, account: AccountId) -> None:
    """Asks for a sync now. Raises: NotFound; SyncInProgress while one is running."""
    await context.request_sync(principal, account)


def mark_due(conn: Connection, principal: Principal, account: AccountId, *, now: EpochMs) -> None:
    """Makes an account due now. Raises: NotFound; SyncInProgress while a worker has it."""
    if accounts.get(conn, principal, account, now).is_leased:
        raise SyncInProgress(existing=account)
    accounts.set_state(conn, principal, account, now, status="syncing", progress=SYNCING, next_sync_at=now)


async def unlink(context: Context, principal: Principal, account: AccountId) -> None:
    """Takes an account away with all its facts and credentials. Raises: NotFound."""

    def op(conn: Connection) -> None:
        _unlink(conn, principal, account, context.clock.now())
        context.note(conn, principal, "account.removed", context.ids.wire("account", account))

    await context.store.write(op)
    await shred_now(context)


def check_any(offer: Offer, entered: Mapping[str, str], *, fingerprint_key: bytes) -> tuple[Offer, Credentials]:
    """As `check`; what was entered under a wallet brand belongs to the chain that comes back, and remembers the brand.

    Raises: InvalidField naming the field, PrivateKeyRefused.
    """
    if offer.onward is None:
        return offer, check(offer, entered, fingerprint_key=fingerprint_key)
    if not entered.get(NETWORK):  # a named network knows what its addresses look like
        _refuse_private_keys(offer, entered)
    _named(offer, entered)
    found = offer.onward(entered)
    credentials = check(found.offer, found.entered, fingerprint_key=fingerprint_key)
    return found.offer, replace(credentials, fields={**credentials.fields, BRAND: offer.name})


def check(offer: Offer, entered: Mapping[str, str], *, fingerprint_key: bytes) -> Credentials:
    """What was entered, under our names of the fields. Raises: InvalidField naming the field, PrivateKeyRefused."""
    _refuse_private_keys(offer, entered)
    named = _named(offer, entered)
    for field in offer.fields:
        _check_field(field, named.get(field.name), offer)
        if field.spelt is not None and field.name in named:
            named[field.name] = field.spelt(named[field.name])
    if offer.check is not None:
        offer.check(named)
    public = {field.name: named[field.name] for field in offer.fields if not field.is_secret and field.name in named}
    secrets = {field.name: Secret(named[field.name]) for field in offer.fields if field.is_secret and field.name in named}
    identity = Secret(named[offer.identity[0]])
    return Credentials(
        fields=public,
        secrets=secrets,
        fingerprint=fingerprint(fingerprint_key, offer.name, {n: _spelt(named[n]) for n in offer.identity if n in named}),
        hint=identity.hint() if offer.auth_type != "wallet" else "",
    )


def _refuse_private_keys(offer: Offer, entered: Mapping[str, str]) -> None:
    takes_long_hex = any(field.is_long_hex for field in offer.fields)
    refuse_private_keys(entered, of_address=_ADDRESS_FIELDS, of_long_hex=_ADDRESS_FIELDS if takes_long_hex else frozenset())


def _spelt(value: str) -> str:
    """One spelling of what identifies a link: an EVM address is the same in small letters and with its checksum's capitals."""
    return value.lower() if _EVM_ADDRESS.fullmatch(value) else value


async def wake(context: Context, principal: Principal, account: AccountId) -> None:
    """The account is due already: a worker that has found it by itself is as good as one that is told."""
    with contextlib.suppress(SyncInProgress):
        await context.request_sync(principal, account)


def _named(offer: Offer, entered: Mapping[str, str]) -> dict[str, str]:
    ours = {field.name: field.name for field in offer.fields}
    for field in offer.fields:
        ours.update((alias, field.name) for alias in NAMES_OF_FIELDS.get(field.name, ()) if alias not in ours)
    named: dict[str, str] = {}
    for name, value in entered.items():
        target = ours.get(name)
        if target is None:
            expected = ", ".join(field.name for field in offer.fields)
            raise InvalidField(f"credentials: {offer.name} has no field {name[:40]!r}; expected {expected}")
        if target in named:
            raise InvalidField(f"credentials: {target} is given twice")
        named[target] = value.strip()
    return named


def _check_field(field: Field, value: str | None, offer: Offer) -> None:
    if not value:
        if field.is_required:
            raise InvalidField(f"credentials: {field.name} is missing; {offer.display_name} needs it ({field.label})")
        return
    if not field.accepts(value):
        raise InvalidField(f"credentials: {field.name} does not look like a {offer.display_name} {field.label}; copy all of it")


def file_link(
    conn: Connection,
    principal: Principal,
    offer: Offer,
    credentials: Credentials,
    *,
    name: str | None,
    options: Mapping[str, bool],
    publication_key: bytes,
    now: EpochMs,
) -> AccountId:
    """Files a new link that is due at once, and seals what is secret of it. Raises: AlreadyConnected, VaultUnavailable."""
    account = accounts.add(
        conn,
        principal,
        venue=offer.name,
        fingerprint=credentials.fingerprint,
        now=now,
        name=name,
        fields=credentials.fields,
        options=options,
        key_hint=credentials.hint,
    )
    if credentials.secrets:
        seal(conn, principal, account, credentials.secrets, publication_key=publication_key, now=now)
    return account


def _unlink(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> None:
    request_shred(conn, place_of(conn, principal, account).user, account)
    set_aside(conn, principal, account, mark=CONSENT_MARK, now=now)
    accounts.delete(conn, principal, account, now)


def kept_fields(account: accounts.Account, now: EpochMs) -> dict[str, str]:
    """The link fields that other credentials do not change: the wallet brand, and whence the account was brought."""
    kept = {name: account.fields[name] for name in (BRAND, accounts.IMPORTED_FROM) if name in account.fields}
    if accounts.IMPORTED_FROM in kept:
        kept[accounts.RECONNECTED] = str(now)
    return kept


def renew_link(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    offer: Offer,
    credentials: Credentials,
    *,
    publication_key: bytes,
    now: EpochMs,
) -> None:
    """Gives an account other credentials. Raises: NotFound; SyncInProgress; AlreadyConnected; VaultUnavailable."""
    if accounts.get(conn, principal, account, now).is_leased:
        raise SyncInProgress(existing=account)
    other = accounts.linked(conn, principal, credentials.fingerprint)
    if other not in (None, account):
        raise AlreadyConnected(existing=other)
    if credentials.secrets:
        seal(conn, principal, account, credentials.secrets, publication_key=publication_key, now=now)
    accounts.set_state(
        conn,
        principal,
        account,
        now,
        status="syncing",
        progress=SYNCING,
        # A wallet brand whose chain nobody knew becomes that chain's account now.
        venue=offer.name,
        fields=codec.to_json(dict(credentials.fields)),
        fingerprint=credentials.fingerprint,
        key_hint=credentials.hint,
        next_sync_at=now,
        # Whoever listens with the old key sees that the account is no longer theirs, and closes.
        live_owner="",
        live_since=None,
        live_problem=None,
        live_after=0,
    )
