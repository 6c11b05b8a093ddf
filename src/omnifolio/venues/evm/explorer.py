"""Explorers as an index of an address: which transactions touched it, what moved inside them, what came from the beacon chain.

Etherscan v2, Blockscout and Routescan speak one scheme: `module`, `action`, and an envelope `{status, message, result}` in which
errors come with HTTP 200. Lists are asked for from a block on, oldest first; one that is full is whole only up to the block
before its last row. So no page number is needed, and a cursor is a block. What happened in a transaction is asked of a node: an
explorer has no events and no fees of layer 1.

Sources: Etherscan's API v2 documentation, Blockscout's RPC API documentation (2026-11); recorded answers of Routescan.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import BadCredentials, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Question
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.inner import Inner, units

ETHERSCAN = "https://api.etherscan.io/v2/api"
"""One address for all chains; every question needs a key."""
ROWS_MAX = 10_000
"""Rows that an explorer gives for one question, at most."""
BUSY_PAUSE_S = 5.0
SAID_BYTES_MAX = 500
KEY_METHOD = "address, with an explorer's key"
"""How a certificate says that the user gave a key, which opens nothing but the explorer's lists."""
EXPLORER = "explorer"
"""The kind of these pages in the evidence."""

LISTS = ("txlist", "txlistinternal", "tokentx", "tokennfttx", "token1155tx")
WITHDRAWALS = "txsBeaconWithdrawal"
INNER = "txlistinternal"

_BUSY = ("rate limit", "too many", "max calls", "throttl", "timeout", "try again")
_KEY = ("invalid api key", "missing/invalid api key", "apikey required", "missing api key")
_EMPTY = ("no transactions found", "no records found", "no internal transactions found", "no token transfers found", "not found")

T = TypeVar("T")
Verdict = Literal["rows", "empty", "busy", "key", "refused"]


class Row(Struct, rename="camel", frozen=True):
    """What is read of a row of any list."""

    block_number: str
    hash: str = ""
    transaction_hash: str = ""

    @property
    def height(self) -> int:
        """The block. Raises: VenueBadResponse."""
        return units(self.block_number)

    @property
    def name(self) -> str:
        """The transaction's hash (lower case)."""
        return (self.hash or self.transaction_hash).lower()


class Withdrawal(Struct, rename="camel", frozen=True):
    """Coins that came from the beacon chain: `amount` is in gwei."""

    withdrawal_index: str
    validator_index: str
    amount: str
    block_number: str
    timestamp: str = ""
    time_stamp: str = ""

    @property
    def at(self) -> EpochMs:
        """When the block was made."""
        return EpochMs(units(self.timestamp or self.time_stamp) * 1000)


class _Envelope(Struct):
    status: str = ""
    message: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")


def source_of(access: Access, chain: EvmChain) -> "Source | None":
    """The explorer to ask: the operator's own, Etherscan where the user gave its key, the row's; none beside an own node alone.

    Who runs a node of their own is not told to third parties.
    """
    if access.explorer_url:
        return Source(url=access.explorer_url, key=access.secrets.get("explorer_key"))
    if "explorer_key" in access.secrets:
        return Source(url=ETHERSCAN, key=access.secrets["explorer_key"], chain_id=chain.chain_id)
    if access.base_url is None and chain.explorer_api:
        return Source(url=chain.explorer_api)
    return None


class Source(Struct, frozen=True, kw_only=True):
    """Where an explorer is asked, and with which key."""

    url: str
    key: Secret | None = None
    chain_id: int | None = None


class Refused(Exception):
    """The explorer does not give this list at all: others can be asked in its place."""


class Explorer:
    """An explorer during one read: every answer is kept as evidence of `stream`."""

    def __init__(self, access: Access, source: Source, *, stream: str) -> None:
        self._access = access
        self._source = source
        self._stream = stream

    async def rows(self, action: str, address: str, *, start: int, end: int, size: int) -> Evidence:
        """The first `size` rows of a list from block `start` to `end`. Raises: Refused, VenueError."""
        asked = {"startblock": str(start), "endblock": str(end), "page": "1", "offset": str(size), "sort": "asc"}
        return await self._ask("account", action, {"address": address, **asked})

    async def height_at(self, at: EpochMs) -> int:
        """The last block that the explorer knows up to an instant. Raises: Refused, VenueError."""
        asked = {"timestamp": str(at // 1000), "closest": "before"}
        told = result_of((await self._ask("block", "getblocknobytime", asked)).body)
        number = told.get("blockNumber") if isinstance(told, dict) else told
        if not isinstance(number, str | int):
            raise VenueBadResponse("the explorer answered with no block")
        return units(str(number))

    async def _ask(self, module: str, action: str, params: Mapping[str, str]) -> Evidence:
        source = self._source
        asked = {"module": module, "action": action, **params}
        if source.chain_id is not None:
            asked = {"chainid": str(source.chain_id), **asked}
        secret = {"apikey": source.key.reveal()} if source.key is not None else {}
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method="GET",
            url=f"{source.url}?{urlencode(asked | secret)}",
            key_label=self._access.key_label,
            question=Question(method="GET", path=f"/{EXPLORER}", params=asked),
        )
        if answer.status in (404, 410):
            raise Refused(f"HTTP status {answer.status}")
        if answer.status == 429:
            raise VenueBusy("the explorer asked us to slow down", retry_after_s=BUSY_PAUSE_S)
        if answer.status >= 500:
            raise VenueUnavailable(f"the explorer answered with HTTP status {answer.status}")
        self._check(verdict(answer.body))
        return Evidence(
            stream=self._stream,
            request=f"GET /{EXPLORER}",
            params={"read": EXPLORER, **asked},
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )

    def _check(self, said: Verdict) -> None:
        if said == "busy":
            self._access.egress.slow_down(self._access.venue, key_label=self._access.key_label, seconds=BUSY_PAUSE_S)
            raise VenueBusy("the explorer asked us to slow down", retry_after_s=BUSY_PAUSE_S)
        if said == "key":
            raise BadCredentials("the explorer does not accept this key")
        if said == "refused":
            raise Refused("the explorer does not answer this question")


def verdict(body: bytes) -> Verdict:
    """What an answer amounts to; the envelope's status alone does not tell. Raises: VenueBadResponse."""
    told = _envelope(body)
    result = bytes(told.result).strip()
    said = result[:SAID_BYTES_MAX].decode("utf-8", "replace") if result[:1] == b'"' else ""
    words = f"{told.message} {said}".lower()
    if told.status == "1" or (result[:1] == b"[" and result != b"[]"):
        return "rows"
    if any(mark in words for mark in _BUSY):
        return "busy"
    if any(mark in words for mark in _KEY):
        return "key"
    if result == b"[]" or any(mark in words for mark in _EMPTY):
        return "empty"
    return "refused"


def result_of(body: bytes) -> object:
    """What the answer carries, as plain JSON values. Raises: VenueBadResponse."""
    return msgspec.json.decode(_envelope(body).result)


def listed(body: bytes) -> list[Row]:
    """The rows of a list. Raises: VenueBadResponse."""
    return _decoded(body, Row)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """The rows of the list of withdrawals. Raises: VenueBadResponse."""
    return _decoded(body, Withdrawal)


def inner_rows(evidence: Sequence[Evidence]) -> dict[str, list[Inner]]:
    """What moved inside transactions, by their hashes (lower case). Raises: VenueBadResponse."""
    found: dict[str, list[Inner]] = {}
    for page in evidence:
        if page.params.get("read") == EXPLORER and page.params["action"] == INNER:
            for row in _decoded(page.body, Inner):
                found.setdefault((row.hash or row.transaction_hash).lower(), []).append(row)
    return found


def _decoded(body: bytes, kind: type[T]) -> list[T]:
    told = _envelope(body)
    if bytes(told.result).lstrip()[:1] != b"[":
        return []
    try:
        return msgspec.json.decode(told.result, type=list[kind])  # type: ignore[valid-type]  # msgspec builds the decoder by it
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VenueBadResponse(f"the explorer's rows have another shape than its documentation says ({error})") from None


def _envelope(body: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise VenueBadResponse("the explorer's answer is not what its documentation says") from None
