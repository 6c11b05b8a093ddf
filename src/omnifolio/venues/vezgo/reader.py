"""Reads a user's accounts out of Vezgo with the operator's own client id and secret, and decodes what was stored of it.

Only `POST /auth/token` and GETs are asked; the token stays in memory and never reaches evidence. Source: Vezgo's published API
documentation and SDKs, seen 2026-05.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace

from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import SECOND_MS, Clock, EpochMs
from omnifolio.model.errors import (
    BadCredentials,
    MissingPermission,
    NotFound,
    VenueBadResponse,
    VenueBusy,
    VenueUnavailable,
)
from omnifolio.model.facts import Batch, Cursor, Evidence, Quote, Wallet
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Answer, Egress
from omnifolio.transport.pacing import retry_after_s
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access, Stream, received_at
from omnifolio.venues.vezgo import rows
from omnifolio.venues.vezgo.plan import NAME_CHARS_MAX, PLAN, WALLET_ID_CHARS_MAX, Names, Plan, plan_of, rows_of, text_of

VENUE = "vezgo"
BASE_URL = "https://api.vezgo.com/v1"
STREAM_KIND = "vezgo"
ACCOUNT, TRANSACTIONS = f"{STREAM_KIND}/account", f"{STREAM_KIND}/transactions"
FIRST_DAY = "2009-01-03"
"""Before it there was nothing to move; without a first day Vezgo tells the last year only."""
PAGE_ROWS = (500, 100, 20, 5)
"""Rows asked for in a page; the next smaller number after an answer that was too large for Vezgo's own limit of 6 MB."""
PAGES_MAX = 100_000
TOKEN_LEFT_MS = 60 * SECOND_MS
TOKEN_LIFE_MS = 5 * 60 * SECOND_MS
"""How long a token is used that does not say when it ends."""


def rules_of(base_url: str, *, is_configured: bool) -> list[Rule]:
    """Everything that may be asked of Vezgo."""
    asked = ("/accounts", "/accounts/{id}", "/accounts/{id}/transactions")
    return [
        Rule("POST", f"{base_url}/auth/token", is_configured=is_configured),
        *(Rule("GET", base_url + path, is_configured=is_configured) for path in asked),
    ]


class Client:
    """One user at Vezgo, by the login name that the operator's application gives them."""

    def __init__(self, egress: Egress, clock: Clock, *, base_url: str, client_id: str, secret: Secret, login: str) -> None:
        self._egress, self._clock, self._base_url = egress, clock, base_url
        self._client_id, self._secret, self._login = client_id, secret, login
        self._token, self._token_until = "", 0

    async def accounts(self) -> list[Mapping[str, Any]]:
        """The user's accounts. Raises: BadCredentials, VenueError."""
        return rows.listed(await self._get(ACCOUNT, "/accounts", {}))

    async def account(self, number: str) -> Evidence:
        """One account, with wallets and balances. Raises: NotFound, VenueError."""
        return await self._get(ACCOUNT, f"/accounts/{number}", {})

    async def transactions(self, number: str, last: str) -> AsyncIterator[Evidence]:
        """Pages of an account's transactions after the one named `last` ("" for the beginning), the oldest first.

        The last page is empty. Raises: VenueError; VenueBadResponse where the pages do not end.
        """
        size = 0
        for _ in range(PAGES_MAX):
            params = {"from": FIRST_DAY, "sort": "asc", "limit": str(PAGE_ROWS[size]), **({"last": last} if last else {})}
            try:
                page = await self._get(TRANSACTIONS, f"/accounts/{number}/transactions", params)
            except VenueUnavailable:
                size += 1
                if size == len(PAGE_ROWS):
                    raise
                continue
            yield page
            found = rows.listed(page)
            if not found:
                return
            if found[-1]["id"] == last:
                raise VenueBadResponse("Vezgo: the pages of an account's transactions do not go on")
            last = found[-1]["id"]
        raise VenueBadResponse("Vezgo: the pages of an account's transactions do not end")

    async def _get(self, stream: str, path: str, params: Mapping[str, str]) -> Evidence:
        url = f"{self._base_url}{path}" + (f"?{urlencode(params)}" if params else "")
        for is_again in (False, True):
            headers = {"Authorization": f"Bearer {await self._valid_token()}", "Accept": "application/json"}
            answer = await self._egress.request(venue=VENUE, method="GET", url=url, headers=headers, key_label=self._client_id)
            if answer.status != 401 or is_again:
                break
            self._token = ""
        _check(answer, f"GET {path.rpartition('/')[2] if path.count('/') > 2 else 'accounts'}")
        return Evidence(
            stream=stream,
            request=f"GET /v1{path}",
            params=dict(params),
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )

    async def _valid_token(self) -> str:
        now = self._clock.now()
        if self._token and now < self._token_until - TOKEN_LEFT_MS:
            return self._token
        answer = await self._egress.request(
            venue=VENUE,
            method="POST",
            url=f"{self._base_url}/auth/token",
            headers={"Content-Type": "application/json", "Accept": "application/json", "loginName": self._login},
            body=json.dumps({"clientId": self._client_id, "secret": self._secret.reveal()}).encode(),
            key_label=self._client_id,
            is_read=True,
        )
        if answer.status in (401, 403):
            raise BadCredentials("Vezgo refuses this client id and secret")
        if answer.status == 400:
            raise NotFound("Vezgo does not take this login name")
        _check(answer, "POST /auth/token")
        try:
            token = json.loads(answer.body)["token"]
        except (ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise VenueBadResponse("Vezgo: POST /auth/token gave no token")
        self._token, self._token_until = token, _end_of(token) or now + TOKEN_LIFE_MS
        return token


def _end_of(token: str) -> int | None:
    """When a token ends, as it says itself; None where it does not."""
    try:
        payload = token.split(".")[1]
        return int(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]) * SECOND_MS
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _check(answer: Answer, what: str) -> None:
    """Raises: what an answer other than 200 means."""
    if answer.status == 200:
        return
    if answer.status == 401:
        raise BadCredentials("Vezgo does not take its own token any more")
    if answer.status == 403:
        raise MissingPermission(f"Vezgo does not allow {what} with this client id")
    if answer.status == 404:
        raise NotFound(f"Vezgo knows nothing under {what}")
    if answer.status == 429:
        wait_s = retry_after_s(answer.headers, now=answer.received_at)
        raise VenueBusy("Vezgo asked to slow down", retry_after_s=wait_s)
    if answer.status >= 500 or answer.status == 413:
        raise VenueUnavailable(f"Vezgo answered {answer.status} to {what}")
    raise VenueBadResponse(f"Vezgo answered {answer.status} to {what}")


class VezgoReader:
    """Decodes stored pages. Nothing is read by itself: the import drives the `Client`, and a sync reads the venue itself."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """None: what was imported is not synchronised."""
        return ()

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Nothing."""
        nothing: tuple[Batch, ...] = ()
        for page in nothing:
            yield page

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page; its plan stands in its parameters. Raises: VenueBadResponse."""
        [page] = evidence
        plan = plan_of(page.params.get(PLAN, ""))
        names = Names(venue, plan)
        if stream == ACCOUNT:
            row = rows.document(page)
            if not isinstance(row, dict):
                raise VenueBadResponse(f"Vezgo: {page.request} gave no object")
            snapshots, gaps = rows.balances(row, names, plan, venue=venue, told_at=page.received_at)
            wallets = tuple(_wallets(row, plan))
            return Batch(
                cursor=Cursor(stream), observed_at=received_at(evidence), tokens=tuple(names.facts.values()), wallets=wallets,
                snapshots=tuple(snapshots), gaps=tuple(gaps), evidence=tuple(evidence), done=True,
            )  # fmt: skip
        claims, gaps = rows.claims(rows.listed(page), names, plan, venue=venue, stream=stream)
        return Batch(
            cursor=Cursor(stream), observed_at=received_at(evidence), tokens=tuple(names.facts.values()), claims=tuple(claims),
            gaps=tuple(gaps), evidence=tuple(evidence),
        )  # fmt: skip

    async def certificate(self, access: Access) -> Certificate:
        """A stored page can do nothing but be read."""
        return Certificate(state="read_only", method="", checked_at=access.clock.now())


READER = VezgoReader()


def planned(page: Evidence, plan: Plan) -> Evidence:
    """The page with the account's plan beside it."""
    return replace(page, params={**page.params, PLAN: plan.text()})


def stated_prices(venue: str, page: Evidence) -> list[Quote]:
    """What Vezgo's stated values say of prices, in a page of transactions."""
    plan = plan_of(page.params.get(PLAN, ""))
    found = rows.stated(rows.listed(page), Names(venue, plan), plan, venue=venue, observed_at=EpochMs(page.received_at))
    return list(found)


def _wallets(row: Mapping[str, Any], plan: Plan) -> list[Wallet]:
    """The account's wallets under our keys; of several that are one with us the first gives the name."""
    found: dict[str, Wallet] = {}
    for item in rows_of(row, "wallets"):
        key = plan.wallets.get(text_of(item.get("id"), WALLET_ID_CHARS_MAX)) if isinstance(item, dict) else None
        if key is not None and key not in found:
            address = key.rpartition(":")[2] if plan.chain and item.get("address") else None
            found[key] = Wallet(key=key, name=text_of(item.get("name"), NAME_CHARS_MAX) or key.capitalize(), address=address)
    return list(found.values())
