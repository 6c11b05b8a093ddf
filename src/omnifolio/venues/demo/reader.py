"""Reads the demo venue of the sandbox: log in, read balances, read transactions by cursor. Protocol: docs/sandbox.md.

It exists only where a sandbox runs, so its base URL always comes with the access. The session's token never reaches evidence.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from omnifolio.model.accounts import Certificate
from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import BadCredentials, InvalidAmount, InvalidField, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Claim, Cursor, Evidence, Gap, Interval, Kind, Leg, Snapshot, Status, Wallet
from omnifolio.model.tokens import TokenFacts, TokenId, venue_token
from omnifolio.transport.egress import Answer
from omnifolio.venues.contract import Access, Stream, received_at

VENUE = "demo"
BALANCES, TRANSACTIONS = "balances/spot", "transactions/all"
PAGE_ROWS = 100
PAGES_MAX = 10_000
OPENED_AT = EpochMs(0)
FIAT = frozenset({"USD", "EUR", "GBP", "CHF", "JPY"})

_KINDS: Mapping[str, Kind] = {
    "trade": "trade",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "staking": "staking",
    "unstaking": "unstaking",
}
_KINDS_BY_SUBTYPE: Mapping[str, Kind] = {
    "staking_reward": "staking_reward",
    "interest_income": "interest",
    "income_reward": "reward",
    "distribution": "airdrop",
    "referral_bonus": "referral",
    "rebate": "rebate",
    "cashback": "cashback",
}
_STATUSES: Mapping[str, Status] = {
    "confirmed": "confirmed",
    "pending": "pending",
    "failed": "failed",
    "cancelled": "cancelled",
}


class DemoReader:
    """The reader of the demo venue. Stateless."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances and transactions."""
        return (Stream(name=BALANCES, is_balances=True), Stream(name=TRANSACTIONS))

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of one stream; the cursor is that of the last page read, which later holds what came since.

        Raises: BadCredentials, VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        token = await _session(access)
        if since.stream == BALANCES:
            batch = self.decode(VENUE, BALANCES, (await _get(access, token, BALANCES, "/balances", {}),))
            yield msgspec.structs.replace(batch, done=True)
            return
        state: dict[str, str] = json.loads(since.token) if since.token else {}
        cursor = state.get("cursor", "")
        for _ in range(PAGES_MAX):
            asked = {"limit": str(PAGE_ROWS), **({"cursor": cursor} if cursor else {})}
            evidence = await _get(access, token, TRANSACTIONS, "/transactions", asked)
            following = _body(evidence).get("next_cursor")
            is_done = not following or str(following) == cursor
            cursor = cursor if is_done else str(following)
            yield msgspec.structs.replace(
                self.decode(VENUE, TRANSACTIONS, (evidence,)),
                cursor=Cursor(TRANSACTIONS, json.dumps({"cursor": cursor})),
                covered=(Interval(OPENED_AT, access.clock.now()),) if is_done else (),
                done=is_done,
            )
            if is_done:
                return
        raise VenueBadResponse("demo: the venue's pages do not end")

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page. Raises: VenueBadResponse."""
        claims: list[Claim] = []
        gaps: list[Gap] = []
        snapshots: tuple[Snapshot, ...] = ()
        kinds: dict[TokenId, bool] = {}
        for place, item in enumerate(evidence):
            if stream == BALANCES:
                snapshots = (_snapshot(item, kinds),)
            else:
                _transactions(item, place, claims, gaps, kinds)
        return Batch(
            cursor=Cursor(stream),
            observed_at=received_at(evidence),
            tokens=tuple(
                TokenFacts(id=token, ticker=token.partition("/")[2], kind="fiat" if is_fiat else "crypto")
                for token, is_fiat in kinds.items()
            ),
            wallets=(Wallet(key="spot", name="Spot"),) if kinds else (),
            snapshots=snapshots,
            claims=tuple(claims),
            gaps=tuple(gaps),
            evidence=tuple(evidence),
        )

    async def certificate(self, access: Access) -> Certificate:
        """The demo login can only read; logging in proves it. Raises: BadCredentials, VenueUnavailable."""
        await _session(access)
        return Certificate(state="read_only", method="POST /session", checked_at=access.clock.now())


async def _session(access: Access) -> str:
    """A session's token. Raises: BadCredentials."""
    secret, name = access.secrets.get("password"), access.fields.get("username")
    username = access.secrets["username"].reveal() if "username" in access.secrets else name or ""
    body = json.dumps({"username": username, "password": secret.reveal() if secret else ""})
    answer = await _ask(access, "POST", "/session", body=body.encode())
    token = _json(answer.body, "POST /session").get("token")
    if not isinstance(token, str):
        raise VenueBadResponse("demo: POST /session gave no token")
    return token


async def _get(access: Access, token: str, stream: str, path: str, params: Mapping[str, str]) -> Evidence:
    query = f"?{urlencode(params)}" if params else ""
    answer = await _ask(access, "GET", path + query, headers={"Authorization": f"Bearer {token}"})
    return Evidence(
        stream=stream,
        request=f"GET /demo{path}",
        params=dict(params),
        status=answer.status,
        received_at=answer.received_at,
        body=answer.body,
    )


async def _ask(
    access: Access, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    if not access.base_url:
        raise VenueUnavailable("the demo venue is part of the sandbox, and no sandbox is configured")
    url = access.base_url.rstrip("/") + path
    answer = await access.egress.request(
        venue=VENUE, method=method, url=url, headers=headers, body=body, key_label=access.key_label
    )
    if answer.status == 401:
        raise BadCredentials("demo: username or password is wrong")
    if answer.status == 429:
        raise VenueBusy("demo: asked to slow down")
    if answer.status >= 500:
        raise VenueUnavailable(f"demo answered {answer.status}")
    if answer.status >= 300:
        raise VenueBadResponse(f"demo answered {answer.status}")
    return answer


def _json(body: bytes, request: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise VenueBadResponse(f"demo: {request} gave no JSON object")
    return found


def _body(evidence: Evidence) -> dict[str, Any]:
    return _json(evidence.body, evidence.request)


def _rows(evidence: Evidence, name: str) -> list[Any]:
    rows = _body(evidence).get(name)
    if not isinstance(rows, list):
        raise VenueBadResponse(f"demo: {evidence.request} gave no list of {name}")
    return rows


def _snapshot(evidence: Evidence, kinds: dict[TokenId, bool]) -> Snapshot:
    held = []
    try:
        for row in _rows(evidence, "balances"):
            token = venue_token(VENUE, row["asset"])
            kinds[token] = row["kind"] == "fiat"
            held.append(Balance(token, parse_amount(row["amount"])))
    except (KeyError, TypeError, InvalidAmount, InvalidField):
        raise VenueBadResponse("demo: a balance is not of the documented form") from None
    return Snapshot(wallet="spot", product="spot", at=evidence.received_at, balances=tuple(held), evidence=0)


def _transactions(evidence: Evidence, place: int, claims: list[Claim], gaps: list[Gap], kinds: dict[TokenId, bool]) -> None:
    for number, row in enumerate(_rows(evidence, "transactions"), start=1):
        try:
            claim = _claim(row, place)
        except (KeyError, TypeError, AttributeError, InvalidAmount, InvalidField):
            text = f"row {number} of transactions was left out: not of the documented form"
            gaps.append(Gap(stream=TRANSACTIONS, code="row_unreadable", text=text))
            continue
        claims.append(claim)
        for leg in claim.legs:
            kinds.setdefault(leg.token, leg.token.partition("/")[2] in FIAT)


def _claim(row: Mapping[str, Any], place: int) -> Claim:
    legs = [
        Leg(
            f"{number}",
            "spot",
            venue_token(VENUE, part["asset"]),
            parse_amount(part["amount"]),
            "fee" if part["role"] == "fee" else "principal",
        )
        for number, part in enumerate(row["movements"])
    ]
    status = _STATUSES[row["status"]]
    return Claim(
        book="transactions",
        ref=row["id"],
        refs=(f"demo:{row['id']}",),
        name=row["id"],
        at=row["at"],
        kind=_KINDS_BY_SUBTYPE.get(row["subtype"]) or _KINDS.get(row["type"], "other"),
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        label=row["type"],
        status=status,
        event=row["event"],
        evidence=place,
    )
