"""Whose coins are read: what a user entered - addresses, extended public keys, output descriptors - as one wallet of scripts.

An extended public key or a descriptor is one wallet: what moves between its addresses moves nowhere. A wallet's key is CAIP-10
for a single address, else the chain and a digest of what was entered.
"""

import functools
import hashlib

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain, utxo_chain
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Wallet
from omnifolio.venues.utxo.address import script_of, spelt
from omnifolio.venues.utxo.descriptors import Branch, KeyPlace, branches_of, plain
from omnifolio.venues.utxo.keys import extended_key, is_extended
from omnifolio.venues.utxo.scripts import address_of, scripthash

PARTS_MAX = 20
"""Addresses, keys and descriptors in one wallet."""
BLOCK_SCRIPTS = 20
"""Scripts that are derived at once and kept."""
_BLOCKS_KEPT = 4_096
_DIGEST_DIGITS = 32


class Place(Struct, frozen=True, order=True):
    """One script of a wallet: the number of its branch, and its index there."""

    branch: int
    index: int

    @classmethod
    def read(cls, text: str) -> "Place":
        """The place behind `0/17`."""
        branch, _, index = text.partition("/")
        return cls(int(branch), int(index))

    def __str__(self) -> str:
        return f"{self.branch}/{self.index}"


class Subject(Struct, frozen=True):
    """A wallet on a chain. `text` is what was entered in its one spelling."""

    chain: UtxoChain
    text: str
    branches: tuple[Branch, ...]

    @property
    def is_address(self) -> bool:
        """The wallet is a single address."""
        return len(self.branches) == 1 and bool(self.branches[0].script) and "(" not in self.text

    @property
    def wallet(self) -> str:
        """The wallet's key."""
        if self.is_address:
            return f"{self.chain.caip2}:{self.text.rpartition(':')[2]}"
        return f"{self.chain.caip2}:{hashlib.sha256(self.text.encode()).hexdigest()[:_DIGEST_DIGITS]}"

    def facts(self) -> Wallet:
        """The wallet as the ledger knows it."""
        shown = self.text.rpartition(":")[2]
        label = f"{shown[:6]}…{shown[-4:]}"
        return Wallet(key=self.wallet, name=f"{self.chain.name} {label}", address=self.text if self.is_address else None)

    def script(self, place: Place) -> bytes:
        """The script at a place."""
        if not self.branches[place.branch].is_ranged:
            return self.branches[place.branch].scripts([0])[0]
        block = _block(self.chain.id, self.text, place.branch, place.index // BLOCK_SCRIPTS)
        return block[place.index % BLOCK_SCRIPTS]

    def scripthash(self, place: Place) -> str:
        """The name of the script at a place in Electrum's protocol."""
        return scripthash(self.script(place))

    def address(self, place: Place) -> str:
        """The address at a place. Raises: InvalidField where its script has none."""
        found = address_of(self.chain, self.script(place))
        if found is None:
            raise InvalidField(f"{self.chain.name}: a script of this wallet has no address, so this source cannot tell")
        return found

    def scripts(self, ends: tuple[int, ...]) -> frozenset[bytes]:
        """All scripts below the end of each branch."""
        return _scripts(self.chain.id, self.text, ends)


@functools.lru_cache(maxsize=_BLOCKS_KEPT)
def _block(chain_id: str, text: str, branch: int, block: int) -> list[bytes]:
    start = block * BLOCK_SCRIPTS
    return subject_of(chain_id, text).branches[branch].scripts(range(start, start + BLOCK_SCRIPTS))


@functools.lru_cache(maxsize=8)
def _scripts(chain_id: str, text: str, ends: tuple[int, ...]) -> frozenset[bytes]:
    subject = subject_of(chain_id, text)
    places = [Place(branch, index) for branch, end in enumerate(ends) for index in range(end)]
    return frozenset(subject.script(place) for place in places)


@functools.lru_cache(maxsize=64)
def subject_of(chain_id: str, entered: str) -> Subject:
    """The wallet that was entered: one or more addresses, extended public keys or descriptors, separated by blanks.

    Raises: PrivateKeyRefused, InvalidField saying what is wrong.
    """
    chain = utxo_chain(chain_id)
    parts = sorted(dict.fromkeys(_spelt(chain, part) for part in entered.split()))
    if not 1 <= len(parts) <= PARTS_MAX:
        raise InvalidField(f"wallet: expected an address, an extended public key or a descriptor, {PARTS_MAX} at most")
    branches = tuple(branch for part in parts for branch in _branches(chain, part))
    return Subject(chain, " ".join(parts), branches)


def _spelt(chain: UtxoChain, part: str) -> str:
    if "(" in part:
        return plain(part)
    return part if is_extended(part) else spelt(chain, part)


def _branches(chain: UtxoChain, part: str) -> list[Branch]:
    if "(" in part:
        return branches_of(part, chain)
    if not is_extended(part):
        return [Branch(form="addr", script=script_of(chain, part))]
    parent = extended_key(part, chain)
    if parent.version in chain.extended_multisig:
        raise InvalidField("extended public key: it is one of several of a multisig wallet; give the wallet's descriptor")
    return [
        Branch(form=form, places=(KeyPlace(parent=parent.child(branch)),))
        for form in chain.extended[parent.version].split()
        for branch in (0, 1)
    ]
