"""The owner at the console: links that sign in once, passwords and passkeys, and the browsers that are signed in.

Links and cookies are 256 random bits, stored as keyed hashes only. What is stored of a passkey is public; a password is stored as
the argon2id hash that the caller made.
"""

import hmac
import secrets as random

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.errors import Conflict, InvalidField, NotFound, NotSignedIn
from omnifolio.model.secrets import Secret
from omnifolio.store.schema import console_links, console_methods, console_sessions
from omnifolio.tenancy.principals import require_operator

LINK_LIFE_MS = 15 * MINUTE_MS
CHALLENGE_LIFE_MS = 5 * MINUTE_MS
SESSION_LIFE_MS = 7 * DAY_MS
"""A browser signs in anew after this, however busy it was."""
IDLE_MAX_MS = 12 * HOUR_MS
SEEN_EVERY_MS = MINUTE_MS
"""`seen_at` moves at most this often."""
TOKEN_BYTES = 32
AGENT_LENGTH_MAX = 200
NAME_LENGTH_MAX = 60
PASSKEYS_MAX = 20
PASSWORD = "password"  # noqa: S105 - the name of a method
PASSKEY = "passkey"
LINK = "link"

_DIGEST: sa.BindParameter[bytes] = sa.bindparam("given")
_NOW: sa.BindParameter[int] = sa.bindparam("now")
_ADD_LINK = sa.insert(console_links)
_DROP_LINKS = sa.delete(console_links).where(console_links.c.expires_at <= _NOW)
_USE_LINK = (
    sa.update(console_links)
    .where(console_links.c.digest == _DIGEST, console_links.c.used_at.is_(None), console_links.c.expires_at > _NOW)
    .values(used_at=_NOW)
)
_ADD_SESSION = sa.insert(console_sessions)
_DROP_SESSIONS = sa.delete(console_sessions).where(
    sa.or_(console_sessions.c.expires_at <= _NOW, console_sessions.c.seen_at <= sa.bindparam("idle_since"))
)
_SESSION = sa.select(console_sessions).where(
    console_sessions.c.digest == _DIGEST,
    console_sessions.c.expires_at > _NOW,
    console_sessions.c.seen_at > sa.bindparam("idle_since"),
)
_SESSIONS = sa.select(console_sessions).order_by(console_sessions.c.id)
_SEEN = sa.update(console_sessions).where(console_sessions.c.id == sa.bindparam("session")).values(seen_at=_NOW)
_END_SESSION = sa.delete(console_sessions).where(console_sessions.c.digest == _DIGEST)
_END_SESSIONS = sa.delete(console_sessions)
_ADD_METHOD = sa.insert(console_methods).returning(console_methods.c.id)
_METHODS = sa.select(console_methods).order_by(console_methods.c.id)
_DROP_METHOD = sa.delete(console_methods).where(console_methods.c.id == sa.bindparam("method"))
_DROP_PASSWORD = sa.delete(console_methods).where(console_methods.c.kind == PASSWORD)
_USED = (
    sa.update(console_methods)
    .where(
        console_methods.c.id == sa.bindparam("method"),
        # Many passkeys do not count: theirs stays at 0.
        sa.or_(console_methods.c.uses < sa.bindparam("counted"), console_methods.c.uses == 0),
    )
    .values(uses=sa.bindparam("counted"), last_used_at=_NOW)
)


class Method(Struct, frozen=True, kw_only=True):
    """One way to sign in. `handle` is the passkey's id; `data` its public key, or the password's hash; `uses` its counter."""

    id: int
    kind: str
    name: str
    handle: bytes | None
    data: bytes
    uses: int
    created_at: EpochMs
    last_used_at: EpochMs | None

    def __repr__(self) -> str:
        return f"Method({self.id}, {self.kind})"


class ConsoleSession(Struct, frozen=True, kw_only=True):
    """A browser that is signed in: since when, by which method, and what it said it is."""

    id: int
    method: str
    agent: str
    created_at: EpochMs
    seen_at: EpochMs


def make_link(conn: Connection, principal: Principal, *, key: bytes, now: EpochMs) -> Secret:
    """The secret of a link that signs in once within 15 minutes. For the operator. Raises: Forbidden."""
    require_operator(principal)
    return _make_once(conn, LINK, key=key, now=now, life_ms=LINK_LIFE_MS)


def use_link(conn: Connection, token: Secret, *, key: bytes, now: EpochMs) -> None:
    """Takes a link's one use. Raises: NotSignedIn for one that was used, is too old or never was."""
    if not _use_once(conn, LINK, token, key=key, now=now):
        raise NotSignedIn("this link was used already or is older than 15 minutes; omnifolio owner link prints a new one")


def make_challenge(conn: Connection, *, key: bytes, now: EpochMs) -> Secret:
    """What a passkey has to sign, once and within 5 minutes."""
    return _make_once(conn, PASSKEY, key=key, now=now, life_ms=CHALLENGE_LIFE_MS)


def use_challenge(conn: Connection, challenge: Secret, *, key: bytes, now: EpochMs) -> None:
    """Takes a challenge's one use. Raises: NotSignedIn."""
    if not _use_once(conn, PASSKEY, challenge, key=key, now=now):
        raise NotSignedIn("this took longer than 5 minutes, or was answered already; try again")


def open_session(conn: Connection, *, method: str, agent: str, key: bytes, now: EpochMs) -> Secret:
    """A new session's cookie, once the caller has seen a valid link, password or passkey."""
    conn.execute(_DROP_SESSIONS, {"now": now, "idle_since": now - IDLE_MAX_MS})
    token = _token()
    conn.execute(
        _ADD_SESSION,
        {
            "digest": _digest(key, token),
            "method": method,
            "agent": "".join(sign for sign in agent if sign.isprintable())[:AGENT_LENGTH_MAX],
            "created_at": now,
            "seen_at": now,
            "expires_at": now + SESSION_LIFE_MS,
        },
    )
    return token


def session(conn: Connection, token: Secret, *, key: bytes, now: EpochMs) -> ConsoleSession:
    """The session of a cookie. Raises: NotSignedIn when there is none (any more)."""
    row = conn.execute(_SESSION, {"given": _digest(key, token), "now": now, "idle_since": now - IDLE_MAX_MS}).first()
    if row is None:
        raise NotSignedIn("you are signed out; sign in again")
    return _session(row)


def touch(conn: Connection, found: ConsoleSession, *, now: EpochMs) -> None:
    """Says that a session is in use, at most once a minute."""
    if found.seen_at <= now - SEEN_EVERY_MS:
        conn.execute(_SEEN, {"session": found.id, "now": now})


def sessions(conn: Connection, principal: Principal) -> list[ConsoleSession]:
    """Every browser that is signed in, oldest first. Raises: Forbidden."""
    require_operator(principal)
    return [_session(row) for row in conn.execute(_SESSIONS)]


def end_session(conn: Connection, token: Secret, *, key: bytes) -> None:
    """Signs one browser out."""
    conn.execute(_END_SESSION, {"given": _digest(key, token)})


def end_sessions(conn: Connection, principal: Principal) -> int:
    """Signs every browser out and gives how many there were. Raises: Forbidden."""
    require_operator(principal)
    return conn.execute(_END_SESSIONS).rowcount


def methods(conn: Connection) -> list[Method]:
    """Every way to sign in, oldest first."""
    return [
        Method(
            id=row.id,
            kind=row.kind,
            name=row.name,
            handle=None if row.handle is None else bytes(row.handle),
            data=bytes(row.data),
            uses=row.uses,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )
        for row in conn.execute(_METHODS)
    ]


def set_password(conn: Connection, principal: Principal, hashed: str, *, now: EpochMs) -> None:
    """Puts this password, given as its argon2id hash, in the place of the one before. Raises: Forbidden."""
    require_operator(principal)
    conn.execute(_DROP_PASSWORD)
    conn.execute(_ADD_METHOD, {"kind": PASSWORD, "name": "Password", "data": hashed.encode(), "created_at": now})


def add_passkey(
    conn: Connection, principal: Principal, *, name: str, handle: bytes, public: bytes, uses: int, now: EpochMs
) -> int:
    """Adds a passkey and gives its number. Raises: Forbidden; InvalidField for its name; Conflict for one too many."""
    require_operator(principal)
    if not 0 < len(name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidField(f"name: expected 1 to {NAME_LENGTH_MAX} printable characters")
    known = [method for method in methods(conn) if method.kind == PASSKEY]
    if len(known) >= PASSKEYS_MAX or handle in {method.handle for method in known}:
        raise Conflict("this passkey is registered already, or there are 20 of them; remove one first")
    row = {"kind": PASSKEY, "name": name.strip(), "handle": handle, "data": public, "uses": uses, "created_at": now}
    return int(conn.execute(_ADD_METHOD, row).scalar_one())


def remove_method(conn: Connection, principal: Principal, number: int) -> None:
    """Takes a way to sign in away. Raises: Forbidden, NotFound."""
    require_operator(principal)
    if conn.execute(_DROP_METHOD, {"method": number}).rowcount != 1:
        raise NotFound("there is no such way to sign in")


def used(conn: Connection, method: Method, *, uses: int, now: EpochMs) -> None:
    """Notes that a method was used. Raises: NotSignedIn when a passkey's counter went back, which a copy of it would do."""
    if conn.execute(_USED, {"method": method.id, "counted": uses, "now": now}).rowcount != 1:
        raise NotSignedIn("this passkey's counter went back: it may have been copied; remove it and sign in another way")


def _make_once(conn: Connection, purpose: str, *, key: bytes, now: EpochMs, life_ms: int) -> Secret:
    conn.execute(_DROP_LINKS, {"now": now})
    token = _token()
    conn.execute(_ADD_LINK, {"digest": _digest(key, token, purpose), "created_at": now, "expires_at": now + life_ms})
    return token


def _use_once(conn: Connection, purpose: str, token: Secret, *, key: bytes, now: EpochMs) -> bool:
    return conn.execute(_USE_LINK, {"given": _digest(key, token, purpose), "now": now}).rowcount == 1


def _token() -> Secret:
    return Secret(random.token_urlsafe(TOKEN_BYTES))


def _digest(key: bytes, token: Secret, purpose: str = "session") -> bytes:
    return hmac.digest(key, b"console " + purpose.encode() + b"\0" + token.reveal().encode("utf-8", "surrogatepass"), "sha256")


def _session(row: sa.Row[tuple[object, ...]]) -> ConsoleSession:
    return ConsoleSession(id=row.id, method=row.method, agent=row.agent, created_at=row.created_at, seen_at=row.seen_at)
