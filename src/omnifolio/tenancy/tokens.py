"""User tokens: what a client shows with every request, valid for 20 minutes and revocable at once.

A token is a JWT (RFC 7519) with HMAC-SHA256, because clients read its `exp`. It is written and read here in one form only: the
header must be, byte for byte, the one that this installation writes. So no token can choose its own algorithm or key.
"""

import base64
import binascii
import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from typing import cast, get_args

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal, Scope
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidSettings, Unauthenticated
from omnifolio.model.ids import TeamId, UserId
from omnifolio.store.schema import teams, users
from omnifolio.tenancy.teams import Team
from omnifolio.tenancy.users import User

LIFETIME_S = 1_200
"""The official clients want at least 600 s left when they open Connect."""
SKEW_S = 5
"""How far ahead the clock of another server of this installation may be."""
KEY_BYTES_MIN = 32
TOKEN_LENGTH_MAX = 2_048
REMEMBERED_MAX = 4_096
REMEMBERED_MS = 30_000
AUDIENCE = "omnifolio/v1"
SCOPES: frozenset[str] = frozenset(get_args(Scope))

_FIND = (
    sa.select(users.c.id, users.c.team_id, users.c.token_epoch, teams.c.client_id, teams.c.is_active)
    .select_from(users.join(teams, users.c.team_id == teams.c.id))
    .where(users.c.uuid == sa.bindparam("uuid"))
)


class Claims(Struct, frozen=True, kw_only=True):
    """What a token says; every claim is required. `iat` and `exp` are seconds, `scope` names separated by blanks."""

    iss: str
    aud: str
    sub: str
    team: str
    scope: str
    jti: str
    epoch: int
    iat: int
    exp: int


_decode_claims = msgspec.json.Decoder(Claims).decode


class TokenKeys:
    """Issues and checks the tokens of one installation. Threads may share it; it remembers checked tokens for up to 30 s.

    `installation` is the installation's id, the issuer. `key` (at least 32 bytes) comes from the edge key; `older` keys are
    still accepted, while a rotation of the edge key runs.
    """

    def __init__(self, installation: str, key: bytes, *, older: tuple[bytes, ...] = ()) -> None:
        for each in (key, *older):
            if len(each) < KEY_BYTES_MIN:
                raise InvalidSettings(f"a key for tokens has at least {KEY_BYTES_MIN} bytes")
        self._installation = installation
        self._header = _header(key)
        self._keys = {_header(each): each for each in (*older, key)}
        self._checked: OrderedDict[bytes, tuple[Claims, int]] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, team: Team, user: User, scopes: frozenset[Scope], *, now: EpochMs) -> str:
        """A token for a user of a team, valid for 20 minutes."""
        issued_at = now // 1_000
        claims = Claims(
            iss=self._installation,
            aud=AUDIENCE,
            sub=user.uuid,
            team=team.client_id,
            scope=" ".join(sorted(scopes)),
            jti=os.urandom(12).hex(),
            epoch=user.token_epoch,
            iat=issued_at,
            exp=issued_at + LIFETIME_S,
        )
        body = f"{self._header}.{_encoded(msgspec.json.encode(claims))}"
        return f"{body}.{_encoded(hmac.digest(self._keys[self._header], body.encode(), 'sha256'))}"

    def check(self, token: str, *, now: EpochMs) -> Claims:
        """What a valid token says. Raises: Unauthenticated, saying only whether it has expired."""
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._checked.get(name)
        claims = known[0] if known is not None and now < known[1] else self._verified(token)
        _require_time(claims, now)
        if known is None or known[0] is not claims:
            self._remember(name, claims, now)
        return claims

    def _verified(self, token: str) -> Claims:
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        key = self._keys.get(header)
        if key is None or len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise Unauthenticated("this is no token of this installation")
        expected = _encoded(hmac.digest(key, f"{header}.{payload}".encode(), "sha256"))
        if not hmac.compare_digest(expected, signature):
            raise Unauthenticated("this token was not signed here")
        try:
            claims = _decode_claims(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
            raise Unauthenticated("this token lacks a required claim") from None
        if claims.iss != self._installation or claims.aud != AUDIENCE:
            raise Unauthenticated("this token is meant for another server")
        return claims

    def _remember(self, name: bytes, claims: Claims, now: EpochMs) -> None:
        with self._lock:
            self._checked[name] = (claims, now + REMEMBERED_MS)
            self._checked.move_to_end(name)
            if len(self._checked) > REMEMBERED_MAX:
                self._checked.popitem(last=False)


def principal_of(conn: Connection, token: str, keys: TokenKeys, *, now: EpochMs) -> Principal:
    """Who a token speaks for. The user and the team are looked up each time, so that a revocation holds at once.

    Raises: Unauthenticated for a token that is not valid (any more).
    """
    claims = keys.check(token, now=now)
    row = conn.execute(_FIND, {"uuid": claims.sub}).first()
    if row is None or row.client_id != claims.team or not row.is_active or row.token_epoch != claims.epoch:
        raise Unauthenticated("this token has been revoked")
    scopes = frozenset(claims.scope.split()) & SCOPES
    return Principal(
        team=TeamId(row.team_id),
        user=UserId(row.id),
        actor=f"token:{claims.jti}",
        scopes=cast("frozenset[Scope]", scopes),
    )


def _require_time(claims: Claims, now: EpochMs) -> None:
    at_s = now // 1_000
    if at_s >= claims.exp:
        raise Unauthenticated("this token has expired")
    if claims.iat > at_s + SKEW_S or not 0 < claims.exp - claims.iat <= LIFETIME_S:
        raise Unauthenticated("this token's times are not possible")


def _header(key: bytes) -> str:
    """The one header that a token signed with `key` has."""
    key_id = hmac.digest(key, b"omnifolio/token-key-id/1", "sha256")[:8].hex()
    return _encoded(msgspec.json.encode({"alg": "HS256", "kid": key_id, "typ": "JWT"}))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
