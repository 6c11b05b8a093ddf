"""What is said to a venue's token endpoint and understood of its answers: the only posts of ours that are no reads.

Every one goes to an address that the venue's row names, through the one way out, without redirects, and is never recorded.
"""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from omnifolio.catalog import oauth
from omnifolio.catalog.oauth import ACCESS, CODE, ENDS, REDIRECT, REFRESH, VERIFIER, OAuthRow
from omnifolio.model.clock import SECOND_MS, Clock
from omnifolio.model.errors import BadCredentials, InvalidSettings, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.secrets import Secret
from omnifolio.model.settings import OAuthClient
from omnifolio.transport.egress import Answer, Budget, Egress, Question, Rule

ANSWER_BYTES_MAX = 64 * 1024
NAME_BYTES = 4
BUDGET = Budget(burst=10, per_s=2)
_CODE = re.compile(r"[a-z_]{1,40}")


class TokenEndpoint:
    """Speaks to the token endpoints of the venues for which the operator has a client."""

    def __init__(
        self,
        *,
        egress: Egress,
        clock: Clock,
        clients: Mapping[str, OAuthClient],
        base_urls: Mapping[str, str],
        addresses: Sequence[str],
    ) -> None:
        self._egress, self._clock, self._clients, self._addresses = egress, clock, clients, addresses
        self._rows = {venue: oauth.load(venue).at(base_urls.get(venue)) for venue in clients}

    def row(self, venue: str) -> OAuthRow:
        """The venue's row. Raises: InvalidSettings where the operator has no client of it."""
        if venue not in self._rows:
            raise InvalidSettings(f"oauth: this account was linked by consent, and there is no client of {venue} here any more")
        return self._rows[venue]

    async def exchange(self, venue: str, consent: Mapping[str, Secret]) -> dict[str, Secret]:
        """The tokens for a code, or the key that they make. Raises: BadCredentials for a code that is refused; VenueError."""
        row = self.row(venue)
        told = await self._ask(
            row,
            row.token_url,
            {
                "grant_type": "authorization_code",
                "code": consent[CODE].reveal(),
                "redirect_uri": consent[REDIRECT].reveal(),
                "code_verifier": consent[VERIFIER].reveal(),
            },
        )
        tokens = self._tokens(row, told, previous=None)
        return tokens if row.mint is None else await self._mint(row, tokens[ACCESS])

    async def refresh(self, venue: str, tokens: Mapping[str, Secret]) -> dict[str, Secret]:
        """New tokens for old ones. Raises: BadCredentials when the venue no longer takes the old ones; VenueError."""
        row = self.row(venue)
        refresh = tokens[REFRESH]
        told = await self._ask(row, row.token_url, {"grant_type": "refresh_token", "refresh_token": refresh.reveal()})
        return self._tokens(row, told, previous=refresh)

    async def revoke(self, venue: str, tokens: Mapping[str, Secret]) -> bool:
        """Takes tokens back; false where the venue has no way to, or there are none. Raises: VenueError."""
        row = self.row(venue)
        token = tokens.get(REFRESH) or tokens.get(ACCESS)
        if not row.revoke_url or token is None:
            return False
        await self._ask(row, row.revoke_url, {"token": token.reveal()})
        return True

    def _tokens(self, row: OAuthRow, told: Mapping[str, Any], *, previous: Secret | None) -> dict[str, Secret]:
        access, refresh, life = told.get("access_token"), told.get("refresh_token"), told.get("expires_in", row.access_token_s)
        if not isinstance(access, str) or not access or str(told.get("token_type", "bearer")).lower() != "bearer":
            raise VenueBadResponse(f"{row.id}: the answer holds no bearer token")
        if not isinstance(life, int) or life <= 0:
            raise VenueBadResponse(f"{row.id}: the answer does not say how long the token lives")
        found = {ACCESS: Secret(access), ENDS: Secret(str(self._clock.now() + life * SECOND_MS))}
        kept = Secret(refresh) if isinstance(refresh, str) and refresh else previous
        return found if kept is None else {**found, REFRESH: kept}

    async def _mint(self, row: OAuthRow, access: Secret) -> dict[str, Secret]:
        """The key that the token makes, which can only read; nothing of the token is kept."""
        mint = row.mint
        assert mint is not None
        name = f"omnifolio-{os.urandom(NAME_BYTES).hex()}"
        body = msgspec.json.encode({mint.name_field: name, mint.addresses_field: list(self._addresses), **mint.body})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {access.reveal()}"}
        told = _told(row, await self._post(row, mint.url, headers, body))
        made = {}
        for field, path in mint.fields.items():
            value: Any = told
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if not isinstance(value, str) or not value:
                raise VenueBadResponse(f"{row.id}: the answer holds no {field} of the key that was asked for")
            made[field] = Secret(value)
        return made

    async def _ask(self, row: OAuthRow, url: str, fields: Mapping[str, str]) -> Mapping[str, Any]:
        client = self._clients[row.id]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if row.client_auth == "basic":
            pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields = {**fields, "client_id": client.client_id, "client_secret": client.client_secret}
        return _told(row, await self._post(row, url, headers, urlencode(fields).encode()))

    async def _post(self, row: OAuthRow, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return await self._egress.request(
            venue=way_of(row.id),
            method="POST",
            url=url,
            headers={**headers, "Accept": "application/json"},
            body=body,
            is_read=False,
            question=Question(method="POST", path=urlsplit(url).path),
            bytes_max=ANSWER_BYTES_MAX,
            is_recorded=False,
        )


def way_of(venue: str) -> str:
    """The name under which a venue's token endpoint has its own rules and its own pace."""
    return f"{venue}-oauth"


def open_tokens(egress: Egress, clients: Mapping[str, OAuthClient], base_urls: Mapping[str, str]) -> None:
    """Lets exactly the posts to these venues' token endpoints pass."""
    for venue in clients:
        base = base_urls.get(venue)
        row = oauth.load(venue).at(base)
        urls = [row.token_url, row.revoke_url, row.mint.url if row.mint else ""]
        egress.allow(way_of(venue), [Rule("POST", url, is_configured=base is not None) for url in urls if url])
        if base is None:
            egress.limit(way_of(venue), address=BUDGET)


def _told(row: OAuthRow, answer: Answer) -> Mapping[str, Any]:
    """What a good answer says. Raises: BadCredentials, InvalidSettings, VenueBusy, VenueUnavailable, VenueBadResponse."""
    try:
        told = msgspec.json.decode(answer.body or b"{}")
    except (msgspec.DecodeError, RecursionError):
        told = None
    if answer.status < 300:
        if not isinstance(told, dict):
            raise VenueBadResponse(f"{row.id}: the token endpoint's answer is no JSON object")
        return told
    code = told.get("error") if isinstance(told, dict) else None
    named = f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    if code == "invalid_grant":
        raise BadCredentials(f"{row.id} no longer accepts this consent; link the account again")
    if code in ("invalid_client", "unauthorized_client"):
        raise InvalidSettings(f"oauth: {row.id} does not accept this installation's client{named}; its operator must act")
    if answer.status == 429:
        raise VenueBusy(f"{row.id}: the token endpoint asked us to slow down")
    if answer.status >= 500:
        raise VenueUnavailable(f"{row.id}: the token endpoint answered {answer.status}")
    if answer.status == 401:
        raise BadCredentials(f"{row.id} refused this consent{named}; link the account again")
    raise VenueBadResponse(f"{row.id}: the token endpoint answered {answer.status}{named}")
