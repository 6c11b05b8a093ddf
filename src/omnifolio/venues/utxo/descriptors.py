"""Output descriptors: which scripts a wallet has, as BIP-380 to 386 and 389 write it, with the checksum verified.

Read are pk, pkh, wpkh, sh(wpkh), tr with a key path alone, multi and sortedmulti inside sh, wsh and sh(wsh), and addr. Keys are
compressed public keys or extended public keys with an unhardened path that may end in `*` and may name two branches as `<0;1>`.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.utxo.address import script_of
from omnifolio.venues.utxo.curve import point_of
from omnifolio.venues.utxo.keys import HARDENED, ExtendedKey, extended_key
from omnifolio.venues.utxo.scripts import KEYS_MAX, of_key, of_keys

LENGTH_MAX = 8_000
PATH_STEPS_MAX = 10
_INPUTS = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_OUTPUTS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
_CALL = re.compile(r"([a-z]+)\((.*)\)", re.DOTALL)
_ORIGIN = re.compile(r"\[[0-9a-fA-F]{8}(/\d+['hH]?)*\]")
_HEX_KEY = re.compile(r"0[23][0-9a-fA-F]{64}")
_BRANCHES = re.compile(r"<(\d+(?:;\d+)+)>")
_SINGLE = {("pk",): "pk", ("pkh",): "pkh", ("wpkh",): "wpkh", ("sh", "wpkh"): "sh-wpkh", ("tr",): "tr"}
_MULTI = {("sh",): "sh", ("wsh",): "wsh", ("sh", "wsh"): "sh-wsh"}
_READ = "pk, pkh, wpkh, sh(wpkh), tr, and multi or sortedmulti in sh, wsh or sh(wsh)"


class KeyPlace(Struct, frozen=True):
    """One key of a script: fixed, or the child of `parent` at the script's index."""

    fixed: bytes = b""
    parent: ExtendedKey | None = None

    def keys(self, indexes: Sequence[int]) -> list[bytes]:
        """The key at each index."""
        return [self.fixed] * len(indexes) if self.parent is None else self.parent.children(indexes)


class Branch(Struct, frozen=True, kw_only=True):
    """A row of scripts of one form, or a single one. `needed` 0 is a script of one key, else a multisig of that many signers."""

    form: str
    places: tuple[KeyPlace, ...] = ()
    needed: int = 0
    is_sorted: bool = False
    script: bytes = b""
    """The one script of an address."""

    @property
    def is_ranged(self) -> bool:
        """The branch has a script for every index."""
        return any(place.parent is not None for place in self.places)

    def scripts(self, indexes: Sequence[int]) -> list[bytes]:
        """The script at each index; index 0 alone where the branch is not ranged."""
        if not self.places:
            return [self.script]
        rows = list(zip(*(place.keys(indexes) for place in self.places), strict=True))
        if not self.needed:
            return [of_key(self.form, row[0]) for row in rows]
        return [of_keys(self.form, sorted(row) if self.is_sorted else row, needed=self.needed) for row in rows]


def checksum(text: str) -> str:
    """The eight characters that stand behind `#`. Raises: InvalidField for a character that none has. Source: BIP-380."""
    state, group, groups = 1, 0, 0
    for letter in text:
        place = _INPUTS.find(letter)
        if place < 0:
            raise InvalidField(f"descriptor: {letter!r} stands in no descriptor")
        state = _step(state, place & 31)
        group, groups = group * 3 + (place >> 5), groups + 1
        if groups == 3:
            state, group, groups = _step(state, group), 0, 0
    if groups:
        state = _step(state, group)
    for _ in range(8):
        state = _step(state, 0)
    state ^= 1
    return "".join(_OUTPUTS[state >> 5 * (7 - n) & 31] for n in range(8))


def _step(state: int, value: int) -> int:
    top = state >> 35
    state = (state & 0x7FFFFFFFF) << 5 ^ value
    for n, generator in enumerate(_GENERATORS):
        state ^= generator if top >> n & 1 else 0
    return state


def plain(text: str) -> str:
    """The descriptor without its checksum, which is verified where it is given. Raises: InvalidField."""
    body, separator, given = text.strip().partition("#")
    if len(body) > LENGTH_MAX:
        raise InvalidField(f"descriptor: longer than {LENGTH_MAX} characters")
    if separator and checksum(body) != given:
        raise InvalidField("descriptor: its checksum does not fit, so a character is wrong, missing or too many")
    return body


def branches_of(text: str, chain: UtxoChain) -> list[Branch]:
    """The rows of scripts of one descriptor, two where it names two branches. Raises: InvalidField, PrivateKeyRefused."""
    return [_branch(single, chain) for single in _singles(plain(text))]


def _singles(text: str) -> Iterator[str]:
    """The descriptor for each of the branches that it names: every `<0;1>` in it gives its n-th number."""
    named = [found.split(";") for found in _BRANCHES.findall(text)]
    if not named:
        yield text
        return
    if len({len(numbers) for numbers in named}) > 1:
        raise InvalidField("descriptor: its keys name different numbers of branches")
    for n in range(len(named[0])):
        yield _BRANCHES.sub(lambda match, n=n: match[1].split(";")[n], text)  # type: ignore[misc]


def _branch(text: str, chain: UtxoChain) -> Branch:
    functions: list[str] = []
    inner = text
    while (match := _CALL.fullmatch(inner)) is not None:
        functions.append(match[1])
        inner = match[2]
    path = tuple(functions)
    if path == ("addr",):
        return Branch(form="addr", script=script_of(chain, inner))
    if ("wpkh" in path or "wsh" in path or "tr" in path) and not chain.hrp:
        raise InvalidField(f"descriptor: {chain.name} has no witness scripts; expected pkh, or multi or sortedmulti in sh")
    if path in _SINGLE:
        if "," in inner:
            raise InvalidField("descriptor: a tr with scripts is not read, only one with a key path alone")
        return Branch(form=_SINGLE[path], places=(_key(inner, chain, is_x_only=path == ("tr",)),))
    if path[-1:] in (("multi",), ("sortedmulti",)) and path[:-1] in _MULTI:
        needed, _, rest = inner.partition(",")
        places = tuple(_key(part, chain) for part in rest.split(","))
        if not needed.isdecimal() or not 1 <= int(needed) <= len(places) <= KEYS_MAX:
            raise InvalidField(f"descriptor: expected 1 to {KEYS_MAX} keys and no more signers than keys")
        return Branch(form=_MULTI[path[:-1]], places=places, needed=int(needed), is_sorted=path[-1] == "sortedmulti")
    raise InvalidField(f"descriptor: {'('.join(path)[:40] or text[:12]!r} is not read; read are {_READ}")


def _key(text: str, chain: UtxoChain, *, is_x_only: bool = False) -> KeyPlace:
    """A key expression: origin, key, path. Raises: InvalidField, PrivateKeyRefused."""
    bare = text.strip()
    origin = _ORIGIN.match(bare)
    name, *steps = bare[origin.end() if origin else 0 :].split("/")
    if _HEX_KEY.fullmatch(name) or (is_x_only and re.fullmatch("[0-9a-fA-F]{64}", name)):
        return KeyPlace(fixed=_fixed(name))
    _refuse_private(name)
    parent = extended_key(name, chain)
    if len(steps) > PATH_STEPS_MAX:
        raise InvalidField(f"descriptor: a path has at most {PATH_STEPS_MAX} steps")
    is_ranged = steps[-1:] == ["*"]
    for step in steps[:-1] if is_ranged else steps:
        if step[-1:] in ("'", "h", "H") or step == "*":
            raise InvalidField("descriptor: hardened steps behind the key need the private key; give the public key below them")
        if not step.isdecimal() or int(step) >= HARDENED:
            raise InvalidField(f"descriptor: {step[:12]!r} is no step of a path")
        parent = parent.child(int(step))
    return KeyPlace(parent=parent) if is_ranged else KeyPlace(fixed=parent.key)


def _fixed(name: str) -> bytes:
    key = bytes.fromhex(name if len(name) == 66 else "02" + name)
    try:
        point_of(key)
    except ValueError as error:
        raise InvalidField(f"descriptor: {error}") from None
    return key


def _refuse_private(name: str) -> None:
    """A private key in wallet import format is refused as what it is. Raises: PrivateKeyRefused."""
    try:
        is_private = len(base58.decode_check(name)) in (33, 34)
    except ValueError:
        return
    if is_private:
        raise PrivateKeyRefused
