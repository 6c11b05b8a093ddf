"""What is left of ZKsync Lite: the network is closed, and its balances wait to be claimed on Ethereum.

A list tells which tokens an address may claim, each under an index; a contract on Ethereum tells which indexes were claimed. What
was not is still the address's. Recorded answers alone are read here: nobody can be linked to a network that is closed.
Source: recorded answers of the list (`/api/eligibility`) and of the contract, 2026-11.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Balance, Batch, Cursor, Gap, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.evm.events import ZERO_ADDRESS
from omnifolio.venues.evm.inner import units
from omnifolio.venues.evm.words import WORD_BYTES, bytes_at, data_of, uint_at, word

VENUE = "zksynclite"
STREAM = "balances/claims"
IS_CLAIMED = bytes.fromhex("9e34070f")
"""isClaimed(uint256)"""
AGGREGATE = bytes.fromhex("252dba42")
"""aggregate((address,bytes)[]), Multicall's first form"""
CALLS_MAX = 1_000
_ETHEREUM = evm_chain("ethereum")
_SELECTOR_BYTES = 4


class Claimable(Struct, rename="camel", frozen=True):
    """One token that may be claimed."""

    claim_index: int
    token_address: str
    symbol: str
    raw_balance: str
    decimals: int


class _Listed(Struct, frozen=True):
    address: str
    tokens: list[Claimable]


def recognised(pages: Sequence[tuple[str, bytes]], *, observed_at: EpochMs) -> Batch:
    """The balances in (URL, answer) pairs, in any order; answers of another form are none of ours. Raises: VenueBadResponse."""
    listed = {found.address.lower(): found for _, body in pages if (found := _listed(body)) is not None}
    claimed = {index: is_claimed for url, body in pages for index, is_claimed in _claims(url, body)}
    rows = [row for found in listed.values() for row in found.tokens]
    unknown = [row.claim_index for row in rows if row.claim_index not in claimed]
    text = f"whether {len(unknown)} of the listed tokens were claimed already: the contract's answer is missing"
    return Batch(
        cursor=Cursor(STREAM, "read"),
        observed_at=observed_at,
        tokens=tuple({fact.id: fact for fact in map(_facts, rows)}.values()),
        wallets=tuple(Wallet(key=_wallet(address), name=f"ZKsync Lite {address[:6]}…", address=address) for address in listed),
        snapshots=tuple(
            Snapshot(
                wallet=_wallet(address),
                product="spot",
                at=observed_at,
                balances=tuple(
                    Balance(_facts(row).id, from_units(units(row.raw_balance), row.decimals))
                    for row in found.tokens
                    if not claimed.get(row.claim_index, False) and units(row.raw_balance)
                ),
            )
            for address, found in listed.items()
        ),
        gaps=(Gap(stream=STREAM, code="claims_unknown", text=text),) if unknown else (),
        done=True,
    )


def _wallet(address: str) -> str:
    return f"{VENUE}:{address}"


def _facts(row: Claimable) -> TokenFacts:
    contract = row.token_address.lower()
    if contract == ZERO_ADDRESS:
        return _ETHEREUM.native
    return TokenFacts(id=_ETHEREUM.erc20(contract), ticker=row.symbol, name=row.symbol, decimals=row.decimals)


def _listed(body: bytes) -> _Listed | None:
    try:
        return msgspec.json.decode(body, type=_Listed)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None


def _claims(url: str, body: bytes) -> Iterator[tuple[int, bool]]:
    """(index, whether it was claimed) of every question to the contract inside a recorded call. Raises: VenueBadResponse."""
    data = parse_qs(urlsplit(url).query).get("data", [""])[0]
    if not data.startswith("0x" + AGGREGATE.hex()):
        return
    asked = data_of(data)[_SELECTOR_BYTES:]
    told = data_of(_result(body))
    start, answers = word(asked, 0), word(told, 1)
    count = uint_at(asked, start)
    if count > CALLS_MAX or uint_at(told, answers) != count:
        raise VenueBadResponse("a recorded call has another number of answers than of questions")
    base, base_told = start + WORD_BYTES, answers + WORD_BYTES
    for n in range(count):
        place = base + uint_at(asked, base + n * WORD_BYTES)
        call = bytes_at(asked, place + uint_at(asked, place + WORD_BYTES), length_max=len(asked))
        answer = bytes_at(told, base_told + uint_at(told, base_told + n * WORD_BYTES), length_max=len(told))
        if call[:_SELECTOR_BYTES] == IS_CLAIMED and len(answer) >= WORD_BYTES:
            yield word(call[_SELECTOR_BYTES:], 0), word(answer, 0) == 1


def _result(body: bytes) -> str:
    found = msgspec.json.decode(body)
    result = found.get("result") if isinstance(found, dict) else None
    if not isinstance(result, str):
        raise VenueBadResponse("a recorded call has no result")
    return result
