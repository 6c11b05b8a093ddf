"""The owner signs in to the console: by a link from the command line, a password, or a passkey.

Whoever can run `omnifolio owner link` owns the database anyway; passwords and passkeys are conveniences that the owner adds. Each
try at a password costs one of a few a minute for the whole installation, and only one is checked at a time.
"""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from omnifolio.app import passkeys
from omnifolio.app.context import Context
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotSignedIn, RateLimited
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import console
from omnifolio.tenancy.console import PASSKEY, PASSWORD, ConsoleSession, Method
from omnifolio.tenancy.principals import operator

PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 256
TRIES_PER_MINUTE = 5
"""Wrong or right, from wherever they come: nobody types faster."""
COMMON = ("password", "omnifolio", "qwertyuiop", "1234567890", "letmein")
"""What a password must not mostly consist of."""
ACTOR = "console"

_checking = threading.Lock()
"""One at a time: each takes 64 MiB on purpose."""


async def sign_in_link(context: Context) -> Secret:
    """The secret of a link that signs in once."""

    def op(conn: Connection, now: EpochMs) -> Secret:
        made = console.make_link(conn, operator("cli"), key=context.edge.console, now=now)
        context.note(conn, operator("cli"), "console.link_made")
        return made

    return await context.store.write(op, context.clock.now())


async def by_link(context: Context, token: Secret, *, agent: str) -> Secret:
    """The cookie of a browser that shows a link's secret. Raises: NotSignedIn."""

    def op(conn: Connection, now: EpochMs) -> Secret:
        console.use_link(conn, token, key=context.edge.console, now=now)
        return _signed_in(context, conn, method=console.LINK, agent=agent, now=now)

    return await context.store.write(op, context.clock.now())


async def by_password(context: Context, password: Secret, *, agent: str) -> Secret:
    """The cookie of a browser that shows the password. Raises: NotSignedIn, RateLimited."""
    _take_try(context)
    known = [method for method in await context.store.read(console.methods) if method.kind == PASSWORD]
    if not known or not await _matches(known[0], password):
        raise NotSignedIn("this is not the password; omnifolio owner link signs you in without one")

    def op(conn: Connection, now: EpochMs) -> Secret:
        console.used(conn, known[0], uses=0, now=now)
        return _signed_in(context, conn, method=PASSWORD, agent=agent, now=now)

    return await context.store.write(op, context.clock.now())


async def ask_passkey(context: Context, origin: str) -> Mapping[str, Any]:
    """What the browser asks a passkey to sign, to sign in."""

    def op(conn: Connection, now: EpochMs) -> tuple[Secret, list[Method]]:
        return console.make_challenge(conn, key=context.edge.console, now=now), _passkeys(conn)

    _take_try(context)
    challenge, known = await context.store.write(op, context.clock.now())
    return passkeys.question(origin, challenge, known)


async def by_passkey(context: Context, answer: bytes, *, origin: str, agent: str) -> Secret:
    """The cookie of a browser whose passkey has signed. Raises: NotSignedIn, InvalidField."""
    known = await context.store.read(_passkeys)
    challenge, method, uses = passkeys.proved(origin, answer, known)

    def op(conn: Connection, now: EpochMs) -> Secret:
        console.use_challenge(conn, challenge, key=context.edge.console, now=now)
        console.used(conn, method, uses=uses, now=now)
        return _signed_in(context, conn, method=PASSKEY, agent=agent, now=now)

    return await context.store.write(op, context.clock.now())


async def session_of(context: Context, token: Secret) -> ConsoleSession:
    """Who is signed in with this cookie. Raises: NotSignedIn."""
    now = context.clock.now()

    def find(conn: Connection) -> ConsoleSession:
        return console.session(conn, token, key=context.edge.console, now=now)

    found = await context.store.read(find)
    if found.seen_at <= now - console.SEEN_EVERY_MS:

        def touch(conn: Connection) -> None:
            console.touch(conn, found, now=now)

        await context.store.write(touch)
    return found


async def sign_out(context: Context, token: Secret) -> None:
    """Signs this browser out."""

    def op(conn: Connection) -> None:
        console.end_session(conn, token, key=context.edge.console)

    await context.store.write(op)


async def sign_out_everywhere(context: Context, principal: Principal) -> int:
    """Signs every browser out and gives their number."""

    def op(conn: Connection) -> int:
        ended = console.end_sessions(conn, principal)
        context.note(conn, principal, "console.signed_out_everywhere")
        return ended

    return await context.store.write(op)


async def methods(context: Context) -> list[Method]:
    """Every way to sign in that the owner has added."""
    return await context.store.read(console.methods)


async def overview(context: Context, principal: Principal) -> tuple[list[Method], list[ConsoleSession]]:
    """Every way to sign in, and every browser that is signed in."""

    def op(conn: Connection) -> tuple[list[Method], list[ConsoleSession]]:
        return console.methods(conn), console.sessions(conn, principal)

    return await context.store.read(op)


async def set_password(context: Context, principal: Principal, password: Secret) -> None:
    """Puts a password in the place of the one before. Raises: InvalidField saying what is wrong with it."""
    _check_password(password)
    hashed = await asyncio.to_thread(_hashed, password)

    def op(conn: Connection, now: EpochMs) -> None:
        console.set_password(conn, principal, hashed, now=now)
        context.note(conn, principal, "console.password_set")

    await context.store.write(op, context.clock.now())


async def begin_passkey(context: Context, origin: str) -> Mapping[str, Any]:
    """What the browser is asked to make a passkey from."""

    def op(conn: Connection, now: EpochMs) -> tuple[Secret, list[Method]]:
        return console.make_challenge(conn, key=context.edge.console, now=now), _passkeys(conn)

    challenge, known = await context.store.write(op, context.clock.now())
    return passkeys.registration(origin, challenge, known)


async def add_passkey(context: Context, principal: Principal, *, name: str, answer: bytes, origin: str) -> int:
    """Adds the passkey that the browser has made. Raises: InvalidField, NotSignedIn, Conflict."""
    challenge, made = passkeys.registered(origin, answer)

    def op(conn: Connection, now: EpochMs) -> int:
        console.use_challenge(conn, challenge, key=context.edge.console, now=now)
        added = console.add_passkey(conn, principal, name=name, handle=made.handle, public=made.public, uses=made.uses, now=now)
        context.note(conn, principal, "console.passkey_added", str(added))
        return added

    return await context.store.write(op, context.clock.now())


async def remove_method(context: Context, principal: Principal, number: int) -> None:
    """Takes a way to sign in away; browsers that are signed in stay so. Raises: NotFound."""

    def op(conn: Connection) -> None:
        console.remove_method(conn, principal, number)
        context.note(conn, principal, "console.method_removed", str(number))

    await context.store.write(op)


def _signed_in(context: Context, conn: Connection, *, method: str, agent: str, now: EpochMs) -> Secret:
    cookie = console.open_session(conn, method=method, agent=agent, key=context.edge.console, now=now)
    context.note(conn, operator(ACTOR), "console.signed_in", method)
    return cookie


def _passkeys(conn: Connection) -> list[Method]:
    return [method for method in console.methods(conn) if method.kind == PASSKEY]


def _take_try(context: Context) -> None:
    verdict = context.limits.take(
        "console/try", cost=1, per_minute=TRIES_PER_MINUTE, burst=TRIES_PER_MINUTE, now=context.clock.now()
    )
    if not verdict.allowed:
        raise RateLimited(
            f"more than {TRIES_PER_MINUTE} tries a minute; wait {verdict.retry_after_s} s, or use omnifolio owner link",
            retry_after_s=verdict.retry_after_s,
        )


def _check_password(password: Secret) -> None:
    text = password.reveal()
    if not PASSWORD_LENGTH_MIN <= len(text) <= PASSWORD_LENGTH_MAX:
        raise InvalidField(f"password: expected {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters; a few words are good")
    if len(set(text)) < 5 or any(len(word) * 2 > len(text) and word in text.lower() for word in COMMON):
        raise InvalidField("password: this one is among the first that somebody would try; a few unrelated words are good")


async def _matches(method: Method, password: Secret) -> bool:
    if len(password) > PASSWORD_LENGTH_MAX:
        return False
    return await asyncio.to_thread(_verified, method.data.decode(), password)


def _hashed(password: Secret) -> str:
    from argon2 import PasswordHasher
    from argon2.profiles import RFC_9106_LOW_MEMORY

    with _checking:
        return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash(password.reveal())


def _verified(hashed: str, password: Secret) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    with _checking:
        try:
            return PasswordHasher().verify(hashed, password.reveal())
        except VerifyMismatchError:
            return False
