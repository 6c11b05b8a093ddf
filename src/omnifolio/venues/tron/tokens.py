"""What is known of tokens: from the catalog, from the index's lists of transfers, and else from the contracts themselves.

A contract that states no decimals, or more than can be held, is mute: its amounts are not known, and that is said.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from omnifolio.catalog.tron_chains import TronChain
from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.evm.words import WORD_BYTES, clean_text, decode_text
from omnifolio.venues.tron.address import hexadecimal, spelt, word_of
from omnifolio.venues.tron.server import Server, is_told
from omnifolio.venues.tron.shapes import Asset, Constant, Row

AT_ONCE = 8
"""Questions under way at the same time."""
CALL, ASSET = "call", "asset"
BALANCE, DECIMALS, SYMBOL = "balanceOf(address)", "decimals()", "symbol()"
TICKER_LENGTH_MAX = 32
NAME_LENGTH_MAX = 64
SHOWN = 4
"""Letters at both ends of a contract that has no ticker."""


async def asked_of(server: Server, contract: str, selector: str, *, owner: str) -> Evidence:
    """What a contract answers to a call that changes nothing. Raises: VenueUnavailable and its kin."""
    body = {
        "owner_address": hexadecimal(owner),
        "contract_address": hexadecimal(contract),
        "function_selector": selector,
        "parameter": word_of(owner) if selector == BALANCE else "",
    }
    found = await server.ask(CALL, "walletsolidity/triggerconstantcontract", body, about=f"{contract} {selector}")
    if not is_told(found):
        raise VenueUnavailable("the server does not run reads of contracts")
    return found


async def gathered(questions: Sequence[tuple[str, str]], server: Server, *, owner: str) -> list[Evidence]:
    """The answers to (contract, selector), in their order."""
    kept: list[Evidence] = []
    for start in range(0, len(questions), AT_ONCE):
        part = questions[start : start + AT_ONCE]
        kept += await asyncio.gather(*(asked_of(server, contract, selector, owner=owner) for contract, selector in part))
    return kept


async def asset_of(server: Server, number: str) -> Evidence:
    """What a node says of a TRC-10 token. Raises: VenueUnavailable and its kin."""
    found = await server.ask(ASSET, "walletsolidity/getassetissuebyid", {"value": number}, about=number)
    if not is_told(found):
        raise VenueUnavailable("the server does not describe tokens")
    return found


def answers(evidence: Iterable[Evidence]) -> dict[tuple[str, str], bytes]:
    """What contracts answered, by (contract, selector); those that failed answered nothing. Raises: VenueBadResponse."""
    found = {}
    for item in evidence:
        if item.params["read"] == CALL and is_told(item):
            told = shaped(item.body, Constant)
            contract, _, selector = item.params["about"].partition(" ")
            if told.result.result and not told.result.message and told.constant_result:
                found[contract, selector] = _bytes(told.constant_result[0])
    return found


def number_in(answer: bytes | None) -> int | None:
    """The whole number that a contract answered; None where it answered none."""
    return int.from_bytes(answer[:WORD_BYTES], "big") if answer is not None and len(answer) >= WORD_BYTES else None


def listed_in(chain: TronChain, rows: Iterable[Row]) -> dict[str, TokenFacts]:
    """The tokens that lines of a list of transfers describe, by contract."""
    found = {}
    for row in rows:
        told = row.token_info
        if told is not None and told.address and isinstance(told.decimals, int) and told.symbol:
            contract = spelt(told.address)
            if 0 <= told.decimals <= FRACTION_DIGITS_MAX:
                found[contract] = _facts(chain, contract, told.symbol, told.name or "", told.decimals)
    return found


def contracts_in(chain: TronChain, evidence: Sequence[Evidence], rows: Iterable[Row]) -> dict[str, TokenFacts]:
    """All TRC-20 tokens that are known, by contract; the catalog comes before what they say. Raises: VenueBadResponse."""
    found = listed_in(chain, rows)
    told = answers(evidence)
    for contract, selector in told:
        decimals = number_in(told.get((contract, DECIMALS)))
        if selector == DECIMALS and decimals is not None and decimals <= FRACTION_DIGITS_MAX:
            found[contract] = _facts(chain, contract, decode_text(told.get((contract, SYMBOL), b"")) or "", "", decimals)
    return found | {
        contract: TokenFacts(id=chain.trc20(contract), ticker=known.ticker, name=known.name, decimals=known.decimals)
        for contract, known in chain.tokens.items()
    }


def assets_in(chain: TronChain, evidence: Iterable[Evidence]) -> dict[str, TokenFacts]:
    """The TRC-10 tokens that a node described, by number. Raises: VenueBadResponse."""
    found = {}
    for item in evidence:
        if item.params["read"] == ASSET and is_told(item):
            told = shaped(item.body, Asset)
            if told.id:
                number = item.params["about"]
                name = clean_text(_text(told.name), length_max=NAME_LENGTH_MAX) or number
                ticker = clean_text(_text(told.abbr), length_max=TICKER_LENGTH_MAX) or name[:TICKER_LENGTH_MAX]
                found[number] = TokenFacts(id=chain.trc10(number), ticker=ticker, name=name, decimals=told.precision)
    return found


def unknown(wanted: Iterable[str], known: Collection[str] | Mapping[str, object]) -> list[str]:
    """Those of `wanted` that nobody described yet, each once."""
    return [name for name in dict.fromkeys(wanted) if name not in known]


def _facts(chain: TronChain, contract: str, symbol: str, name: str, decimals: int) -> TokenFacts:
    short = f"{contract[:SHOWN]}…{contract[-SHOWN:]}"
    ticker = clean_text(symbol, length_max=TICKER_LENGTH_MAX) or short
    return TokenFacts(
        id=chain.trc20(contract), ticker=ticker, name=clean_text(name, length_max=NAME_LENGTH_MAX) or ticker, decimals=decimals
    )


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise VenueBadResponse("a contract's answer is not hexadecimal") from None


def _text(told: str) -> str:
    return _bytes(told).decode("utf-8", "replace")
