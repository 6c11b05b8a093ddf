"""What opens Connect once, and what an open page shows with every request: random texts of which only keyed hashes are stored.

A link token is used up by the request that opens the page with it. A page's token holds for 20 minutes, ends with the page, and
is worth nothing outside the routes that Connect needs.
"""

import hmac
import secrets
from typing import Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.connect.terms import Terms
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.model.secrets import Secret
from omnifolio.store.codec import from_json, to_json
from omnifolio.store.schema import connect_tokens, users

Kind = Literal["link", "page"]

PREFIXES: dict[Kind, str] = {"link": "omni_link_", "page": "omni_page_"}
LIFETIMES_MS: dict[Kind, int] = {"link": 30 * MINUTE_MS, "page": 20 * MINUTE_MS}
RANDOM_BYTES = 32
LENGTH_MAX = 80
MADE_MAX = 200
"""Accounts that one page is remembered to have made."""
VISIT_LENGTH = 16

_DIGEST: sa.BindParameter[bytes] = sa.bindparam("hash", type_=sa.LargeBinary())
_LIVE = (
    connect_tokens.c.digest == _DIGEST,
    connect_tokens.c.kind == sa.bindparam("of"),
    connect_tokens.c.expires_at > sa.bindparam("now"),
)
_INSERT = sa.insert(connect_tokens)
_FIND = (
    sa.select(connect_tokens, users.c.team_id, users.c.uuid, users.c.token_epoch)
    .select_from(connect_tokens.join(users, users.c.id == connect_tokens.c.user_id))
    .where(*_LIVE)
)
_TAKE = sa.delete(connect_tokens).where(*_LIVE)
_END = sa.delete(connect_tokens).where(connect_tokens.c.digest == _DIGEST)
_FORGET = sa.delete(connect_tokens).where(connect_tokens.c.expires_at <= sa.bindparam("now"))
_MADE = sa.update(connect_tokens).where(connect_tokens.c.digest == _DIGEST).values(made=sa.bindparam("accounts"))
_EPOCH = sa.select(users.c.token_epoch).where(users.c.id == sa.bindparam("user"), users.c.team_id == sa.bindparam("team"))


class Held(Struct, frozen=True, kw_only=True):
    """A token that holds: whose it is, what was agreed, and which accounts its page has made. `visit` names it in the funnel."""

    digest: bytes
    team: TeamId
    user: UserId
    uuid: str
    terms: Terms
    made: tuple[AccountId, ...]
    expires_at: EpochMs

    @property
    def visit(self) -> str:
        """Tells this page from others, and cannot be turned back into its token."""
        return self.digest.hex()[:VISIT_LENGTH]

    @property
    def principal(self) -> Principal:
        """Who asks with it."""
        return Principal(team=self.team, user=self.user, actor=f"connect:{self.visit}", scopes=frozenset({"read", "link"}))

    def __repr__(self) -> str:
        return f"Held({self.visit})"


def looks_like(kind: Kind, text: str) -> bool:
    """Whether a text is formed as such a token; says nothing of whether it holds."""
    return text.startswith(PREFIXES[kind]) and len(text) <= LENGTH_MAX and text.isascii()


def mint(
    conn: Connection, principal: Principal, kind: Kind, terms: Terms, *, pepper: bytes, now: EpochMs
) -> tuple[Secret, EpochMs]:
    """A new token of the principal's user, shown this once, and when it ends. What has ended is forgotten on the way."""
    text = PREFIXES[kind] + secrets.token_urlsafe(RANDOM_BYTES)
    ends = EpochMs(now + LIFETIMES_MS[kind])
    conn.execute(_FORGET, {"now": now})
    row = {
        "digest": digest(pepper, text),
        "kind": kind,
        "user_id": principal.data_user,
        "epoch": conn.execute(_EPOCH, {"user": principal.data_user, "team": principal.team}).scalar_one(),
        "terms": msgspec.json.encode(terms).decode(),
        "created_at": now,
        "expires_at": ends,
    }
    conn.execute(_INSERT, row)
    return Secret(text), ends


def find(conn: Connection, kind: Kind, text: str, *, pepper: bytes, now: EpochMs) -> Held | None:
    """What a token stands for; None when it has ended, was used up, revoked, or never was."""
    row = conn.execute(_FIND, {"hash": digest(pepper, text), "of": kind, "now": now}).first()
    if row is None or row.epoch != row.token_epoch:
        return None
    return Held(
        digest=bytes(row.digest),
        team=TeamId(row.team_id),
        user=UserId(row.user_id),
        uuid=row.uuid,
        terms=msgspec.json.decode(row.terms, type=Terms),
        made=tuple(AccountId(number) for number in from_json(row.made)),
        expires_at=EpochMs(row.expires_at),
    )


def take(conn: Connection, kind: Kind, text: str, *, pepper: bytes, now: EpochMs) -> Held | None:
    """As `find`, and uses it up: of several that come at once, one gets it."""
    held = find(conn, kind, text, pepper=pepper, now=now)
    if held is None:
        return None
    is_ours = conn.execute(_TAKE, {"hash": held.digest, "of": kind, "now": now}).rowcount == 1
    return held if is_ours else None


def add_made(conn: Connection, held: Held, account: AccountId) -> None:
    """Remembers that the page has connected an account."""
    made = [*held.made, account][-MADE_MAX:]
    conn.execute(_MADE, {"hash": held.digest, "accounts": to_json(made)})


def end(conn: Connection, held: Held) -> None:
    """The page is done: its token is worth nothing from now on."""
    conn.execute(_END, {"hash": held.digest})


def digest(pepper: bytes, text: str) -> bytes:
    """The keyed hash under which a token is stored."""
    return hmac.digest(pepper, b"connect token\0" + text.encode(), "sha256")
