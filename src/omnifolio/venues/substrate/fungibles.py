"""All fungible assets of an account, as an asset hub's runtime tells them: by location in the network of chains, with amounts.

Sources, seen 2026-11: XCM's format, versions 3 to 5, the runtime call FungiblesApi and the pallet Assets (Polkadot SDK).
"""

from collections.abc import Sequence

from msgspec import Struct

from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.venues.substrate.storage import length_of_compact

CALL = "FungiblesApi_query_account_balances"
ASSETS_PALLET = 50
"""The pallet Assets of both asset hubs, in a location."""
_VERSIONS = (3, 4, 5)
_NUMBERS = 1 << 32
_ACCOUNT, _KEY_20, _GENERAL_KEY = 32, 20, 33
_JUNCTIONS_MAX, _ASSETS_MAX = 8, 1_000
_TICKER_LENGTH_MAX, _NAME_LENGTH_MAX = 20, 60


class Unreadable(ValueError):
    """The bytes are of another form than the versions that are known."""


class Fungibles(Struct, frozen=True):
    """`own`: units by the number of an asset of the pallet Assets. `others`: how many are of elsewhere, the coin apart."""

    own: dict[int, int]
    others: int


class About(Struct, frozen=True):
    """What an asset says of itself."""

    name: str
    ticker: str
    decimals: int


class _Bytes:
    """Bytes, read from the first one on. Each way of reading raises Unreadable where they end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, count: int) -> bytes:
        found = self._data[self._place : self._place + count]
        if len(found) != count:
            raise Unreadable("the bytes end too early")
        self._place += count
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def compact(self) -> int:
        first = self.byte()
        rest = self.take(length_of_compact(first) - 1)
        if first & 3 == 3:
            return int.from_bytes(rest, "little")
        return int.from_bytes(bytes([first]) + rest, "little") >> 2

    def text(self, length_max: int) -> str:
        found = self.take(self.compact()).decode("utf-8", "replace").strip()
        return found[:length_max] if found.isprintable() else ""

    def end(self) -> None:
        if self._place != len(self._data):
            raise Unreadable("there is more than was expected")


def fungibles(data: bytes) -> Fungibles:
    """The answer of the runtime. Raises: Unreadable."""
    read = _Bytes(data)
    if read.byte() != 0 or (version := read.byte()) not in _VERSIONS:
        raise Unreadable("an error, or a version that is not known")
    own: dict[int, int] = {}
    others = 0
    for _ in range(_bounded(read.compact(), _ASSETS_MAX)):
        if version == _VERSIONS[0] and read.byte() != 0:
            raise Unreadable("an asset without a location")
        parents, place = _location(read)
        if read.byte() != 0:
            raise Unreadable("an asset of which each one is another")
        units = read.compact()
        is_own = parents == 0 and len(place) == 2 and place[0] == (4, ASSETS_PALLET) and place[1][0] == 5
        if is_own and place[1][1] < _NUMBERS:
            own[place[1][1]] = own.get(place[1][1], 0) + units
        elif (parents, place) != (1, []):
            others += 1
    read.end()
    return Fungibles(own, others)


def about(data: bytes) -> About:
    """What stands in an asset's metadata. Raises: Unreadable."""
    read = _Bytes(data)
    read.take(16)
    name, ticker, decimals = read.text(_NAME_LENGTH_MAX), read.text(_TICKER_LENGTH_MAX), read.byte()
    if decimals > FRACTION_DIGITS_MAX:
        raise Unreadable("more decimals than an amount has")
    return About(name, ticker, decimals)


def _location(read: _Bytes) -> tuple[int, Sequence[tuple[int, int]]]:
    """How many chains up, and the steps from there: each its kind and its number, nought where it is named otherwise."""
    return read.byte(), [_step(read) for _ in range(_bounded(read.byte(), _JUNCTIONS_MAX))]


def _step(read: _Bytes) -> tuple[int, int]:
    kind = read.byte()
    number = 0
    if kind in (0, 5):
        number = read.compact()
    elif kind in (1, 2, 3):
        if read.byte():
            _network(read)
        if kind == 2:
            read.compact()
        else:
            read.take(_ACCOUNT if kind == 1 else _KEY_20)
    elif kind == 4:
        number = read.byte()
    elif kind == 6:
        read.take(_GENERAL_KEY)
    elif kind == 9:
        _network(read)
    elif kind != 7:
        raise Unreadable("a step of a location that is not known")
    return kind, number


def _network(read: _Bytes) -> None:
    kind = read.byte()
    if kind == 7:
        read.compact()
    else:
        read.take({0: 32, 1: 40}.get(kind, 0))


def _bounded(count: int, limit: int) -> int:
    if count > limit:
        raise Unreadable(f"more than {limit}")
    return count
