"""What a token says of itself and of a holder: decimals, symbol, name and balance, asked of many contracts at once.

Through Multicall3 where it is deployed (one question for a hundred tokens), else one question per fact. An answer inside
Multicall3 that failed proves nothing, because a greedy neighbour may have burned the gas: it is asked again alone. What a
contract then answers with a failure, or with no word at all, is its answer: it is mute. Anything else is the node's failure.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from omnifolio.catalog.chains import EvmChain, known_tokens
from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.model.tokens import TokenFacts, TokenId, contract_of
from omnifolio.venues.evm.rpc import Call, Node, Reply, failure, gathered
from omnifolio.venues.evm.words import (
    BALANCE_OF,
    BALANCE_OF_ID,
    DECIMALS,
    GET_ETH_BALANCE,
    NAME,
    OWNER_OF,
    SYMBOL,
    WORD_BYTES,
    clean_text,
    data_of,
    decode_aggregate,
    decode_text,
    encode_address,
    encode_aggregate,
    encode_uint,
    quantity,
    word,
)

FACTS_PER_CALL_MAX = 200
"""Facts in one aggregate3: at up to 100,000 gas each this stays below the gas that nodes allow a read."""
TICKER_LENGTH_MAX = 32
NAME_LENGTH_MAX = 64

NATIVE = "native"
"""The subject of the chain's own coin, where a token has its contract."""
_READ = "tokens"
_TOGETHER = "+"
"""Stands before each subject of a question through Multicall3."""
_SELECTORS = {"decimals": DECIMALS, "symbol": SYMBOL, "name": NAME}


class Asked(Struct, frozen=True):
    """One fact of one contract: `0xabc…:balance`, `native:balance`, `0xabc…:symbol`.

    `is_listed`: a well-known token that nobody has seen here. What it does not answer together with others is not asked again.
    """

    contract: str
    fact: str
    is_listed: bool = False

    @property
    def about(self) -> str:
        """The subject's name in the evidence."""
        return f"{self.contract}:{self.fact}"


def token_facts(contracts: Iterable[str], *, named: frozenset[str]) -> list[Asked]:
    """What to ask to hold amounts of these contracts: decimals, and of those not in `named` also symbol and name."""
    found: list[Asked] = []
    for contract in contracts:
        facts = ("decimals",) if contract in named else ("decimals", "symbol", "name")
        found.extend(Asked(contract, fact) for fact in facts)
    return found


async def ask_tokens(
    node: Node, asked: Sequence[Asked], *, chain: EvmChain, holder: str, block: str, batched: bool
) -> list[Evidence]:
    """Asks for `asked` at `block`, `holder` being whose balances are meant; `batched` when Multicall3 is deployed.

    Raises: VenueBusy, VenueUnavailable, VenueBadResponse.
    """
    kept: list[Evidence] = []
    if batched:
        size = FACTS_PER_CALL_MAX
        parts = [asked[start : start + size] for start in range(0, len(asked), size)]
        kept += await node.ask(_READ, [_together(part, chain=chain, holder=holder, block=block) for part in parts])
    answered = _answers(gathered(kept, _READ))
    left = [item for item in asked if answered.get(item.about) is None and not item.is_listed]
    alone = [_alone(item, holder=holder, block=block) for item in left]
    return kept + await node.ask(_READ, alone)


def _together(asked: Sequence[Asked], *, chain: EvmChain, holder: str, block: str) -> Call:
    inner = [
        (chain.multicall3, GET_ETH_BALANCE + encode_address(holder))
        if item.contract == NATIVE
        else (item.contract, _data(item, holder))
        for item in asked
    ]
    call = {"to": chain.multicall3, "data": "0x" + encode_aggregate(inner).hex()}
    return Call("".join(_TOGETHER + item.about for item in asked), "eth_call", (call, block))


def _alone(item: Asked, *, holder: str, block: str) -> Call:
    if item.contract == NATIVE:
        return Call(item.about, "eth_getBalance", (holder, block))
    return Call(item.about, "eth_call", ({"to": item.contract, "data": "0x" + _data(item, holder).hex()}, block))


def _data(item: Asked, holder: str) -> bytes:
    if item.fact == "balance":
        return BALANCE_OF + encode_address(holder)
    kind, _, number = item.fact.partition("/")
    if kind == "erc721":
        return OWNER_OF + encode_uint(int(number))
    if kind == "erc1155":
        return BALANCE_OF_ID + encode_address(holder) + encode_uint(int(number))
    return _SELECTORS[item.fact]


def _answers(replies: Mapping[str, Reply]) -> dict[str, bytes | None]:
    """What each subject answered: bytes, empty when the contract itself failed; None when it must be asked again."""
    found: dict[str, bytes | None] = {}
    for about, reply in replies.items():
        if not about.startswith(_TOGETHER):
            found[about] = _single(about, reply)
            continue
        subjects = about.split(_TOGETHER)[1:]
        if reply.error is not None:
            found.update(dict.fromkeys(subjects))
            continue
        results = _results(reply.read(str), len(subjects))
        found.update(
            (s, data if done and len(data) >= WORD_BYTES else None) for s, (done, data) in zip(subjects, results, strict=True)
        )
    return found


@lru_cache(maxsize=8)
def _results(text: str, count: int) -> tuple[tuple[bool, bytes], ...]:
    """The answers inside one of aggregate3. They are needed twice: to ask again for what failed, and to decode the page."""
    return tuple(decode_aggregate(data_of(text), count))


def _single(about: str, reply: Reply) -> bytes | None:
    if reply.error is not None:
        return b"" if reply.error.trouble == "reverted" else None
    text = reply.read(str)
    return quantity(text).to_bytes(WORD_BYTES, "big") if about.startswith(NATIVE) else data_of(text)


class TokenAnswers:
    """The answers to `ask_tokens` in one page."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        replies = gathered(evidence, _READ)
        self._answers = _answers(replies)
        self._faults = {about: reply.error for about, reply in replies.items() if reply.error is not None}

    def contracts(self) -> list[str]:
        """All contracts that were asked for their decimals, in order."""
        return [about.partition(":")[0] for about in self._answers if about.endswith(":decimals")]

    def decimals(self, contract: str) -> int | None:
        """The token's decimals, 0 where it states none; None when its amounts could not be held.

        Raises: VenueError when the node did not answer.
        """
        data = self._answer(f"{contract}:decimals")
        stated = word(data, 0) if len(data) >= WORD_BYTES else 0
        return stated if stated <= FRACTION_DIGITS_MAX else None

    def balance(self, subject: str) -> int | None:
        """The holder's base units; None when the contract is mute. Raises: VenueError when the node did not answer."""
        data = self._answer(f"{subject}:balance")
        return word(data, 0) if len(data) >= WORD_BYTES else None

    def listed(self, chain: EvmChain) -> list[tuple[TokenFacts, int]]:
        """The well-known tokens that were asked for by the list alone, and how many base units the holder has: never none."""
        known, asked = known_tokens(chain.chain_id), set(self.contracts())
        found = []
        for about, data in self._answers.items():
            contract, _, fact = about.partition(":")
            if fact == "balance" and contract in known and contract not in asked and data is not None and len(data) >= WORD_BYTES:
                units = word(data, 0)
                if units:
                    found.append((known[contract], units))
        return found

    def collectibles(self, chain: EvmChain, holder: str) -> dict[TokenId, int]:
        """The single tokens that were asked for, and how many of each the holder has; what its contract refuses is not held.

        Raises: VenueError when the node did not answer.
        """
        found: dict[TokenId, int] = {}
        for about in self._answers:
            contract, _, fact = about.partition(":")
            kind, separator, number = fact.partition("/")
            if separator:
                data = self._answer(about)
                told = word(data, 0) if len(data) >= WORD_BYTES else 0
                units = int(told == int(holder, 16)) if kind == "erc721" else told
                found[TokenId(f"{chain.caip2}/{kind}:{contract}/{number}")] = units
        return found

    def facts(self, chain: EvmChain, token: TokenId) -> TokenFacts | None:
        """The token for the ledger, cleaned for showing; None where only its decimals were asked."""
        contract = contract_of(token) or ""
        if f"{contract}:symbol" not in self._answers:
            return None
        ticker = self._text(f"{contract}:symbol", TICKER_LENGTH_MAX) or f"{contract[:6]}…{contract[-4:]}"
        name = self._text(f"{contract}:name", NAME_LENGTH_MAX)
        if token == chain.erc20(contract):
            return TokenFacts(id=token, ticker=ticker, name=name, decimals=self.decimals(contract))
        return TokenFacts(id=token, ticker=ticker, name=name, kind="nft", decimals=0)

    def _text(self, about: str, length_max: int) -> str:
        return clean_text(decode_text(self._answer(about)) or "", length_max=length_max)

    def _answer(self, about: str) -> bytes:
        data = self._answers.get(about)
        if data is None:
            fault = self._faults.get(about)
            raise failure(fault) if fault is not None else VenueBadResponse("the node left a question about a token open")
        return data


def collectibles_of(known: frozenset[TokenId], chain: EvmChain) -> list[Asked]:
    """What to ask to know which of the single tokens of this chain among known ones are still held."""
    found = []
    for token in sorted(known):
        place, _, name = token.partition("/")
        kind, _, rest = name.partition(":")
        contract, separator, number = rest.partition("/")
        if place == chain.caip2 and kind in ("erc721", "erc1155") and separator and number.isdigit():
            found.append(Asked(contract.lower(), f"{kind}/{number}"))
    return found


def contracts_of(known: frozenset[TokenId], chain: EvmChain) -> frozenset[str]:
    """The ERC-20 contracts (lower case) of this chain among known tokens."""
    prefix = f"{chain.caip2}/erc20:"
    return frozenset(token[len(prefix) :].lower() for token in known if token.startswith(prefix))
