"""How a Cosmos node is asked: GET requests to the REST server of the SDK, state at one height, every answer kept as evidence.

`x-cosmos-block-height` pins what is read of the state to a block. What a node cannot do is an answer, too (501 for a module that
the chain lacks, 400 or 500 with a message), and the caller decides what it means. Source: the SDK's documentation of its gRPC
gateway and its tx service (v0.45 to v0.55), CometBFT's RPC errors, seen 2026-11.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import structs

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.clock import MINUTE_MS, iso
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Evidence, Gap
from omnifolio.transport.egress import Answer, Budget, Question
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.cosmos.shapes import Block, Header, Listed, Refusal

HEIGHT_HEADER = "x-cosmos-block-height"
BLOCKS = "/cosmos/base/tendermint/v1beta1/blocks"
BALANCES = "/cosmos/bank/v1beta1/balances"
SPENDABLE = "/cosmos/bank/v1beta1/spendable_balances"
DELEGATIONS = "/cosmos/staking/v1beta1/delegations"
DELEGATORS = "/cosmos/staking/v1beta1/delegators"
EARNERS = "/cosmos/distribution/v1beta1/delegators"
SEARCH = "/cosmos/tx/v1beta1/txs"
TRACES = ("/ibc/apps/transfer/v1/denom_traces", "/ibc/apps/transfer/v1/denoms")
"""Where the origin of a bridged coin is told: until ibc-go v9, and since."""
PATHS = (
    f"{BLOCKS}/{{height}}",
    f"{BALANCES}/{{address}}",
    f"{SPENDABLE}/{{address}}",
    f"{DELEGATIONS}/{{address}}",
    f"{DELEGATORS}/{{address}}/unbonding_delegations",
    f"{EARNERS}/{{address}}/rewards",
    SEARCH,
    f"{SEARCH}/{{name}}",
    *(f"{path}/{{hash}}" for path in TRACES),
)
"""All that a node is ever asked."""
PUBLIC_BUDGET = Budget(burst=8, per_s=4)
"""For public servers, which state no limit of their own."""
AGE_MAX_MS = 5 * MINUTE_MS
"""A newest block that is older is told."""
PAGE = 200
"""Rows asked for in a page of balances or delegations."""
PAGES_MAX = 100
_UNAVAILABLE = (502, 503, 504)
_LOWEST = re.compile(r"lowest height is (\d{1,18})")
_GONE = ("version does not exist", "no versions found", "failed to load state", "version mismatch", "height in the future")
"""What a node says of a state that it does not have yet, or has no more."""


def rules_of(url: str, *, is_configured: bool) -> list[Rule]:
    """What may be asked of a server."""
    return [Rule("GET", url.rstrip("/") + path, is_configured=is_configured) for path in PATHS]


def refusal_of(evidence: Evidence) -> str:
    """What the server said where it gave no answer; "" where it gave one."""
    if evidence.status == 200:
        return ""
    try:
        return shaped(evidence.body, Refusal).message or f"HTTP status {evidence.status}"
    except VenueBadResponse:
        return f"HTTP status {evidence.status}"


def lowest_of(evidence: Evidence) -> int | None:
    """The first height that a node keeps, where it refused one below; else None."""
    found = _LOWEST.search(refusal_of(evidence))
    return int(found[1]) if found else None


class Node:
    """A node during one read of `stream`. `height` 0: the state is not pinned yet."""

    def __init__(self, access: Access, chain: CosmosChain, *, url: str, stream: str) -> None:
        self._access = access
        self._chain = chain
        self._url = url.rstrip("/")
        self._stream = stream
        self._traces: tuple[str, ...] = TRACES
        self.height = 0

    async def ask(self, read: str, path: str, asked: Mapping[str, str] | None = None, /, **about: str) -> Evidence:
        """One answer, a refusal included; a parameter of several lines is given line by line.

        Raises: VenueBusy, VenueUnavailable.
        """
        pairs = [(name, line) for name, value in (asked or {}).items() for line in value.split("\n")]
        query = "&".join(f"{name}={quote(line, safe='')}" for name, line in pairs)
        question = Question(method="GET", path=path, params=asked or {})
        answer = await self._sent(f"{self._url}{path}" + (f"?{query}" if query else ""), question)
        if answer.status == 429:
            raise VenueBusy("the node asked us to slow down")
        evidence = Evidence(
            stream=self._stream,
            request=f"GET {path}",
            params={"read": read, **(asked or {}), **about},
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )
        if answer.status in _UNAVAILABLE or any(word in refusal_of(evidence) for word in _GONE):
            raise VenueUnavailable(f"the node answered with HTTP status {answer.status}")
        return evidence

    async def _sent(self, url: str, question: Question) -> Answer:
        """The answer, asked for again where the transport's retries may help: a refusal comes with status 500, too."""
        headers = {"accept": "application/json"} | ({HEIGHT_HEADER: str(self.height)} if self.height else {})
        for is_last in (False, True):
            try:
                answer = await self._access.egress.request(
                    venue=self._access.venue,
                    method="GET",
                    url=url,
                    headers=headers,
                    key_label=self._access.key_label,
                    is_read=is_last,
                    question=question,
                )
            except VenueUnavailable:
                if is_last:
                    raise
                continue
            if is_last or answer.status not in (429, *_UNAVAILABLE):
                break
        return answer

    async def block(self, read: str, height: str, **about: str) -> Evidence:
        """A block's head, by its height or as `latest`: of the answer, which may have megabytes of transactions, no more is kept.

        A node of another chain is none. Raises: VenueBadResponse and its kin.
        """
        evidence = await self.ask(read, f"{BLOCKS}/{height}", **about)
        if evidence.status == 200:
            evidence = structs.replace(evidence, body=shaped(evidence.body, Block).head)
            header_of(evidence, self._chain)
        return evidence

    async def pages(self, read: str, path: str, **about: str) -> list[Evidence]:
        """All pages of a list, or the one refusal. Raises: VenueBadResponse for a list without an end, and its kin."""
        kept: list[Evidence] = []
        key = ""
        for _ in range(PAGES_MAX):
            params = {"pagination.limit": str(PAGE)} | ({"pagination.key": key} if key else {})
            evidence = await self.ask(read, path, params, **about)
            kept.append(evidence)
            if evidence.status != 200:
                return kept
            key = shaped(evidence.body, Listed).next_key
            if not key:
                return kept
        raise VenueBadResponse(f"the node's list has more than {PAGES_MAX} pages")

    async def trace(self, read: str, name: str, **about: str) -> Evidence:
        """Where a bridged coin comes from, asked in the spelling that the node knows. Raises: VenueBusy, VenueUnavailable."""
        for place, path in enumerate(self._traces):
            evidence = await self.ask(read, f"{path}/{name}", **about)
            if evidence.status == 200:
                self._traces = (path, *(other for other in self._traces if other != path))
                break
            if place + 1 == len(self._traces):
                break
        return evidence


def behind_of(evidence: Evidence, header: Header, stream: str) -> tuple[Gap, ...]:
    """The gap of a node whose newest block is old: it lags, or the chain stands still."""
    if evidence.received_at - header.at <= AGE_MAX_MS:
        return ()
    return (Gap(stream=stream, code="node_behind", text=f"the node's newest block is of {iso(header.at)}"),)


def header_of(evidence: Evidence, chain: CosmosChain) -> Header:
    """The head of a block of the chain. Raises: VenueBadResponse."""
    if evidence.status != 200:
        raise VenueBadResponse(f"the node does not tell a block: {refusal_of(evidence)[:100]}")
    header = shaped(evidence.body, Block).header
    if header.chain_id != chain.chain_id:
        raise VenueBadResponse(f"the node belongs to another chain than {chain.chain_id}: {header.chain_id[:40]}")
    return header
