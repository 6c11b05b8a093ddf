"""What people have consented to: codes that work once, and tokens that are renewed in families.

A refresh token works once. Whoever shows one again has stolen it or was stolen from, so its whole family ends; the same holds
for a code that comes twice.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

CODE_LIFE_MS = 10 * 60_000
ACCESS_LIFE_S = 3_600
TOKEN_BYTES = 24


@dataclass
class Family:
    """One consent, and whether it still holds."""

    venue: str
    user: str
    scopes: tuple[str, ...]
    is_alive: bool = True


@dataclass
class Code:
    """A code and what it is bound to."""

    family: Family
    redirect_uri: str
    challenge: str
    ends_ms: int
    is_used: bool = False


@dataclass
class Access:
    """An access token's family and end."""

    family: Family
    ends_ms: int


@dataclass
class Refresh:
    """A refresh token's family, and whether it was used."""

    family: Family
    is_used: bool = False


@dataclass
class Grants:
    """Everything that was granted in this process."""

    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    refresh: dict[str, Refresh] = field(default_factory=dict)

    def consent(self, family: Family, *, redirect_uri: str, challenge: str, now_ms: int) -> str:
        """A code for a consent."""
        code = f"sandbox-code-{secrets.token_urlsafe(TOKEN_BYTES)}"
        self.codes[code] = Code(family, redirect_uri, challenge, now_ms + CODE_LIFE_MS)
        return code

    def redeem(self, code: str, *, venue: str, redirect_uri: str, verifier: str, now_ms: int) -> Family | None:
        """Whose consent a code stands for; None for one that is not good."""
        found = self.codes.get(code)
        if found is None or found.family.venue != venue:
            return None
        if found.is_used:
            found.family.is_alive = False
            return None
        found.is_used = True
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        is_bound = found.redirect_uri == redirect_uri and hmac.compare_digest(challenge, found.challenge)
        return found.family if is_bound and found.ends_ms > now_ms and found.family.is_alive else None

    def renew(self, token: str, *, venue: str) -> Family | None:
        """Whose tokens a refresh token renews; None for one that is not good."""
        found = self.refresh.get(token)
        if found is None or found.family.venue != venue:
            return None
        if found.is_used:
            found.family.is_alive = False
        found.is_used = True
        return found.family if found.family.is_alive else None

    def issue(self, family: Family, *, now_ms: int) -> dict[str, str | int]:
        """New tokens of a family, as the token endpoint answers."""
        access, refresh = (f"sandbox-{kind}-{secrets.token_urlsafe(TOKEN_BYTES)}" for kind in ("access", "refresh"))
        self.access[access] = Access(family, now_ms + ACCESS_LIFE_S * 1000)
        self.refresh[refresh] = Refresh(family)
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE_S,
            "refresh_token": refresh,
            "scope": " ".join(family.scopes),
        }

    def end(self, token: str) -> None:
        """Ends the family of a token of either kind; one that is not known is as good as ended."""
        found = self.refresh.get(token) or self.access.get(token)
        if found is not None:
            found.family.is_alive = False

    def bearer(self, authorization: str, *, venue: str, now_ms: int) -> Family | None:
        """Whose access token a header carries, if it is good now; None for anything else."""
        kind, _, token = authorization.partition(" ")
        found = self.access.get(token) if kind.lower() == "bearer" else None
        if found is None or found.family.venue != venue or found.ends_ms <= now_ms or not found.family.is_alive:
            return None
        return found.family
