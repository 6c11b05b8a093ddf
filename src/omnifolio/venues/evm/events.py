"""What a transaction's events say of tokens: which of them came to an address or left it.

Pure functions over logs. Transfers of ERC-20, ERC-721 and ERC-1155 speak for themselves. What some contracts only announce in
words of their own - coins wrapped, tokens made or destroyed - is taken where it cannot be told twice, and where the contract is
known to be a token. A movement from the address to itself is none, and neither is one of zero.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct, structs

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.tokens import TokenId
from omnifolio.venues.evm.shapes import Log
from omnifolio.venues.evm.words import (
    ADDRESS_HEAD,
    DEPOSIT,
    TRANSFER,
    WITHDRAWAL,
    WORD_BYTES,
    WORD_TEXT_LENGTH,
    address_of,
    data_of,
    first_word,
    quantity,
    topic_of,
    uint_at,
    word,
)

TRANSFER_SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"
"""TransferSingle(address,address,address,uint256,uint256), ERC-1155"""
TRANSFER_BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"
"""TransferBatch(address,address,address,uint256[],uint256[]), ERC-1155"""
MINT = "0x0f6798a560793a54c3bcfe86a93cde1e73087d944c0ea20544137d4121396885"
"""Mint(address,uint256): tokens of DappHub's first kind (MKR, SAI, PETH) announce no Transfer beside it"""
BURN = "0xcc16f5dbb4873280815c1ee09dbd06736cffcc184412cf7a71a0fdb75d397ca5"
"""Burn(address,uint256), as before"""
SHARE_BURN = "0x4cf25bc1d991c17529c25213d3cc0cda295eeaad5f13f361969b12ea48015f90"
"""Burn(address,address,uint256,uint256,uint256) of Aave's tokens: their units, and the interest paid on top"""

SHARE_MINT = "0x458f5fa412d0f69b08dd84872b0215675cc67bc1d5b6fd93300a1c3878b86196"
"""Mint(address,address,uint256,uint256,uint256) of Aave's tokens: what was made, and the interest that is part of it"""

ZERO_ADDRESS = "0x" + "00" * 20
PLACES = 2_048
"""Indexes whose keys are made once; few blocks have more events."""
BATCH_MAX = 10_000
"""Tokens in one TransferBatch; more than fit into a block."""

_TOLD_APART = frozenset({DEPOSIT, WITHDRAWAL, MINT, BURN})
_OWN_WORDS = _TOLD_APART | {SHARE_BURN, SHARE_MINT}


class Subject:
    """Whose movements are read: an address (lower case) on a chain.

    `topic` is the address as it stands in an event, `wallet` the wallet's key (CAIP-10), `native` the id of the chain's coin, and
    `erc20` what stands before a contract in the ids of its tokens.
    """

    __slots__ = ("address", "chain", "erc20", "native", "topic", "wallet")

    def __init__(self, chain: EvmChain, address: str) -> None:
        self.chain = chain
        self.address = address
        self.topic = topic_of(address)
        self.wallet = chain.wallet(address)
        self.native = chain.native.id
        self.erc20 = chain.erc20("")


class Movement(Struct, frozen=True, gc=False):
    """What came in (`units` positive) or left. `contract` is "" for the chain's own coin; `number` is a collectible's, and then
    `standard` says which kind."""

    contract: str
    units: int
    key: str
    counterparty: str
    number: int = -1
    standard: str = "erc20"

    def token(self, subject: Subject) -> TokenId:
        """The token's id."""
        if not self.contract:
            return subject.native
        if self.number < 0:
            return TokenId(subject.erc20 + self.contract)
        return TokenId(f"{subject.chain.caip2}/{self.standard}:{self.contract}/{self.number}")


def token_movements(subject: Subject, logs: Sequence[Log]) -> list[Movement]:
    """The movements of tokens that a transaction's Transfer events name the address in, and of the row's wrapped coin.

    Where a wrapped coin announces a deposit as a Transfer as well, the Transfer is taken and its echo left out.
    Raises: VenueBadResponse for an event that is not what its topic says.
    """
    found: list[Movement] = []
    wrapped, native, mine = subject.chain.wrapped, subject.chain.native_contract, subject.topic
    wraps: list[Log] = []
    keys, add, from_hex, from_bytes = _places(), found.append, bytes.fromhex, int.from_bytes
    for log in logs:
        topics = log.topics
        if not topics:
            continue
        name = topics[0]
        if name == TRANSFER:
            if len(topics) == 3:
                _, source, target = topics
                is_in = target == mine
                if is_in != (source == mine):
                    # As `first_word` and `address_of`, without the calls: of these events there are more than of all others.
                    other, data = source if is_in else target, log.data
                    try:
                        raw = from_hex(data[2:WORD_TEXT_LENGTH])
                    except ValueError:
                        raw = b""
                    if len(raw) == WORD_BYTES and data[:2] == "0x" and other[:26] == ADDRESS_HEAD:
                        if units := from_bytes(raw, "big"):
                            place = keys.get(log.log_index) or key_of(log.log_index)
                            whom = "0x" + other[26:].lower()
                            add(Movement(log.address.lower(), units if is_in else -units, place, whom))
                    elif units := first_word(data):
                        place, whom = key_of(log.log_index), address_of(other)
                        add(Movement(log.address.lower(), units if is_in else -units, place, whom))
                elif not (is_in or (source.islower() and target.islower())):
                    found.extend(token_movements(subject, [_in_small_letters(log)]))
            elif len(topics) == 4:
                _collectible(mine, log, found)
        elif name in (TRANSFER_SINGLE, TRANSFER_BATCH):
            found.extend(_collectibles(mine, log))
        elif len(topics) == 2 and wrapped and name in (DEPOSIT, WITHDRAWAL) and log.address.lower() == wrapped:
            wraps.append(log)
    if native:
        found = [movement for movement in found if movement.contract != native]
    if wraps:
        mints = Counter(m.units for m in found if m.contract == wrapped and m.counterparty == ZERO_ADDRESS)
        found.extend(_untold(mints, [m for log in wraps if (m := _told(subject, log)) is not None]))
    return found


@cache
def _places() -> dict[str, str]:
    return {hex(number): f"log:{number}" for number in range(PLACES)}


def key_of(log_index: str) -> str:
    """The key of a leg that an event tells of. Raises: VenueBadResponse."""
    return _places().get(log_index) or f"log:{quantity(log_index)}"


def _in_small_letters(log: Log) -> Log:
    return structs.replace(log, topics=[topic.lower() for topic in log.topics])


def _collectible(mine: str, log: Log, found: list[Movement]) -> None:
    """An ERC-721 transfer: four topics, the last is the token's number."""
    source, target = log.topics[1].lower(), log.topics[2].lower()
    if (source == mine) == (target == mine):
        return
    is_in = target == mine
    other, key = address_of(source if is_in else target), key_of(log.log_index)
    found.append(Movement(log.address.lower(), 1 if is_in else -1, key, other, quantity(log.topics[3]), "erc721"))


def _collectibles(mine: str, log: Log) -> Iterator[Movement]:
    """The ERC-1155 transfers of one event. Raises: VenueBadResponse."""
    if len(log.topics) != 4:
        return
    source, target = log.topics[2].lower(), log.topics[3].lower()
    if (source == mine) == (target == mine):
        return
    is_in, key, contract = target == mine, key_of(log.log_index), log.address.lower()
    other, data = address_of(source if is_in else target), data_of(log.data)
    is_single = log.topics[0] == TRANSFER_SINGLE
    pairs = [(word(data, 0), word(data, 1))] if is_single else list(zip(*_lists(data), strict=True))
    for place, (number, units) in enumerate(pairs):
        if units:
            part = key if is_single else f"{key}.{place}"
            yield Movement(contract, units if is_in else -units, part, other, number, "erc1155")


def _lists(data: bytes) -> tuple[list[int], list[int]]:
    """The two lists of numbers that `data` encode. Raises: VenueBadResponse."""
    lists = []
    for n in range(2):
        start = word(data, n)
        length = uint_at(data, start)
        if length > BATCH_MAX:
            raise VenueBadResponse(f"an event lists more than {BATCH_MAX} tokens")
        lists.append([uint_at(data, start + (1 + place) * WORD_BYTES) for place in range(length)])
    if len(lists[0]) != len(lists[1]):
        raise VenueBadResponse("an event lists another number of tokens than of amounts")
    return lists[0], lists[1]


def _told(subject: Subject, log: Log) -> Movement | None:
    """What an event of one name and one amount says: something made for the address, or destroyed."""
    if log.topics[1].lower() != subject.topic or not (units := first_word(log.data)):
        return None
    signed = units if log.topics[0] in (DEPOSIT, MINT) else -units
    contract = log.address.lower()
    return Movement(contract, signed, key_of(log.log_index), contract)


def _untold(told: Counter[int], movements: Sequence[Movement]) -> Iterator[Movement]:
    """The movements that were not told before; each telling stands for one."""
    for movement in movements:
        if told[movement.units]:
            told[movement.units] -= 1
        else:
            yield movement


def announced(subject: Subject, logs: Sequence[Log]) -> list[Movement]:
    """What contracts say in words of their own that they made for the address or destroyed: it may be a token, and it may not.

    Raises: VenueBadResponse.
    """
    return [
        movement
        for log in logs
        if len(log.topics) == 2 and log.topics[0] in _TOLD_APART and log.address.lower() != subject.chain.wrapped
        if (movement := _told(subject, log)) is not None
    ]


def has_own_words(logs: Sequence[Log]) -> bool:
    """Whether any event says more than a transfer: most transactions have none, and are spared the questions about them."""
    for log in logs:  # noqa: SIM110 - a generator for one event costs more than the event
        if log.topics and log.topics[0] in _OWN_WORDS:
            return True
    return False


def announced_tokens(
    subject: Subject,
    logs: Sequence[Log],
    *,
    transfers: Sequence[Movement],
    natives: Sequence[Movement],
    decimals: Mapping[str, int],
) -> list[Movement]:
    """Of what is only announced, that which is a token's: wrapped coins, against which as many coins of the chain moved to or
    from the contract, and tokens whose contract tells of no Transfer of the address at all. Raises: VenueBadResponse."""
    found = announced(subject, logs)
    if not found:
        return []
    names = {key_of(log.log_index): log.topics[0] for log in logs if log.topics}
    told = {movement.contract for movement in transfers if movement.number < 0}
    moved = Counter((movement.counterparty, -movement.units) for movement in natives)
    kept = []
    for movement in found:
        contract, places = movement.contract, decimals.get(movement.contract, 0)
        if contract in told or not places:
            continue
        if names[movement.key] in (MINT, BURN):
            kept.append(movement)
        elif moved[contract, movement.units] and places == subject.chain.decimals:
            moved[contract, movement.units] -= 1
            kept.append(movement)
    return kept


def paid_interest(subject: Subject, logs: Sequence[Log]) -> dict[tuple[str, str, int], int]:
    """{(contract or "", counterparty, units that came in): the interest in them} where a share token's own event states it.

    What a pool pays out comes from the share token, in whatever it stands for; what it makes comes from nowhere, in shares.
    Raises: VenueBadResponse.
    """
    found = {}
    for log in logs:
        if len(log.topics) != 3 or log.topics[0] not in (SHARE_BURN, SHARE_MINT):
            continue
        is_burn, data, share = log.topics[0] == SHARE_BURN, data_of(log.data), log.address.lower()
        if log.topics[1 if is_burn else 2].lower() != subject.topic:
            continue
        units, interest = word(data, 0), word(data, 1)
        if is_burn and units and interest:
            found["", share, units + interest] = interest
        elif not is_burn and 0 < interest < units:
            found[share, ZERO_ADDRESS, units] = interest
    return found


def split_interest(subject: Subject, logs: Sequence[Log], movements: Sequence[Movement]) -> list[Movement]:
    """The movements, with what a lending pool paid out or made in two: the amount itself, and the interest.

    Raises: VenueBadResponse.
    """
    stated = paid_interest(subject, logs)
    if not stated:
        return list(movements)
    found = []
    for move in movements:
        keys = ((move.contract, move.counterparty, move.units), ("", move.counterparty, move.units))
        interest = next((stated.pop(key) for key in keys if key in stated), 0)
        if interest:
            found.append(Movement(move.contract, move.units - interest, move.key, move.counterparty))
            found.append(Movement(move.contract, interest, f"{move.key}.interest", move.counterparty))
        else:
            found.append(move)
    return found
