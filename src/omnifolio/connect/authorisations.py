"""Consents under way: begun here, finished by the venue's answer, each once and within ten minutes.

The state that travels through the browser is stored as a keyed hash only. The PKCE verifier is derived from the state and the
same key, so that neither the database nor the address bar holds what a stolen code would need.
"""

import base64
import hashlib
import hmac
import os

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import AuthorisationFailed
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.store import codec
from omnifolio.store.schema import authorisations

STATE_BYTES = 32
LIFE_MS = 10 * MINUTE_MS
_STATE_LENGTH = 43

_columns = authorisations.c
_insert = sa.insert(authorisations)
_expire = sa.delete(authorisations).where(_columns.expires_at <= sa.bindparam("now"))
_take = (
    sa.delete(authorisations)
    .where(_columns.digest == sa.bindparam("hash"))
    .returning(
        _columns.team_id,
        _columns.user_id,
        _columns.venue,
        _columns.account_id,
        _columns.session,
        _columns.return_to,
        _columns.name,
        _columns.options,
        _columns.expires_at,
    )
)


class Pending(Struct, frozen=True, kw_only=True):
    """A consent under way: whose, where, and what becomes of it. `account` is the one that reconnects, if any."""

    team: TeamId
    user: UserId
    venue: str
    account: AccountId | None = None
    session: str = ""
    return_to: str = ""
    name: str | None = None
    options: dict[str, bool] = {}

    @property
    def principal(self) -> Principal:
        """The user who began it."""
        return Principal(team=self.team, user=self.user, actor="oauth", scopes=frozenset({"read", "link"}))


def begin(conn: Connection, key: bytes, pending: Pending, *, now: EpochMs) -> str:
    """Remembers a consent that begins and gives its state: 256 random bits, for the address of the venue only."""
    conn.execute(_expire, {"now": now})
    state = _text(os.urandom(STATE_BYTES))
    conn.execute(
        _insert,
        {
            "digest": _hash(key, state),
            "team_id": pending.team,
            "user_id": pending.user,
            "venue": pending.venue,
            "account_id": pending.account,
            "session": pending.session,
            "return_to": pending.return_to,
            "name": pending.name,
            "options": codec.to_json(pending.options),
            "created_at": now,
            "expires_at": now + LIFE_MS,
        },
    )
    return state


def take(conn: Connection, key: bytes, state: str, *, now: EpochMs) -> Pending:
    """The consent of this state, which works this once. Raises: AuthorisationFailed for a state that is unknown, used or old."""
    row = conn.execute(_take, {"hash": _hash(key, state)}).first() if len(state) == _STATE_LENGTH else None
    if row is None or row.expires_at <= now:
        raise AuthorisationFailed("this consent is not known here, was used already, or took more than ten minutes")
    return Pending(
        team=TeamId(row.team_id),
        user=UserId(row.user_id),
        venue=row.venue,
        account=None if row.account_id is None else AccountId(row.account_id),
        session=row.session,
        return_to=row.return_to,
        name=row.name,
        options=codec.from_json(row.options),
    )


def verifier_of(key: bytes, state: str) -> str:
    """The PKCE verifier that belongs to a state (RFC 7636): 256 bits that only who has the key and the state can tell."""
    return _text(hmac.digest(key, b"verifier/" + state.encode(), "sha256"))


def challenge_of(verifier: str) -> str:
    """Its S256 challenge."""
    return _text(hashlib.sha256(verifier.encode()).digest())


def _hash(key: bytes, state: str) -> bytes:
    return hmac.digest(key, b"state/" + state.encode(), "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
