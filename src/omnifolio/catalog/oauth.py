"""Where a venue lets people link an account by consent, as data: addresses, what is asked for, and what comes of it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnifolio.model.errors import NotFound

CODE, VERIFIER, REDIRECT = "consent_code", "consent_verifier", "consent_redirect"
"""The fields of a consent that a worker has still to turn into tokens."""
ACCESS, REFRESH, ENDS = "access_token", "refresh_token", "access_ends_at"
"""The fields of a credential that is tokens."""
LINKED_BY, CONSENT = "linked_by", "consent"
"""The public link field that says how an account came to be linked, and what it says for one that was linked by consent."""


class GrantedRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which call of the venue tells what a token may do, the request as evidence names it, and where the scopes stand."""

    call: str
    request: str
    at: tuple[str, ...]


class MintRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a token makes a key that can only read: what is posted, and where the answer has the fields of the credential."""

    url: str
    name_field: str
    addresses_field: str
    body: Mapping[str, Any]
    fields: Mapping[str, tuple[str, ...]]


class OAuthRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One venue's way to link by consent.

    `completion`: the tokens are the credential (`bearer`), or they make a key that is (`mint_key`). `required` are the scopes
    without which nothing can be read. `admits` says who gets a client of the venue today; every fact as of `seen` in `sources`.
    """

    id: str
    completion: Literal["bearer", "mint_key"]
    authorize_url: str
    token_url: str
    revoke_url: str = ""
    authorize: Mapping[str, str] = {}
    """What else the address of consent says."""
    scopes: tuple[str, ...]
    required: tuple[str, ...] = ()
    separator: str
    client_auth: Literal["basic", "body"]
    pkce: Literal["documented", "unknown"]
    """The challenge is sent in either case."""
    issuer: str = ""
    """The venue's `iss` (RFC 9207); "" where it states none, and then it must not come."""
    access_token_s: int
    """How long an access token lives where the answer does not say."""
    rotates: bool
    """Whether each refresh token works once."""
    granted: GrantedRow | None = None
    mint: MintRow | None = None
    admits: str
    seen: str
    sources: tuple[str, ...]

    def at(self, base_url: str | None) -> "OAuthRow":
        """The same below another base URL, whose server then is the issuer."""
        if not base_url:
            return self
        base = base_url.rstrip("/")

        def moved(url: str) -> str:
            return f"{base}{urlsplit(url).path}" if url else ""

        return replace(
            self,
            authorize_url=moved(self.authorize_url),
            token_url=moved(self.token_url),
            revoke_url=moved(self.revoke_url),
            mint=None if self.mint is None else replace(self.mint, url=moved(self.mint.url)),
            issuer=base,
        )


@cache
def ids() -> tuple[str, ...]:
    """The venues that have a row, sorted."""
    folder = resources.files(__package__) / "data" / "oauth"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load(venue: str) -> OAuthRow:
    """The row of one venue. Raises: NotFound."""
    if venue not in ids():
        raise NotFound("this venue cannot be linked by consent")
    text = (resources.files(__package__) / "data" / "oauth" / f"{venue}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), OAuthRow)
