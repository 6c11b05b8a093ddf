"""Zcash's transactions, of which only the transparent part is read: what moved between it and the shielded pools is one number.

Versions 1 to 5. A transaction's name is the hash of its bytes up to version 4; that of version 5 is a tree of hashes over parts
that are not read here (ZIP-244), so there the server is believed. Sources: the Zcash protocol specification, 7.1; ZIP-225.
"""

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.base58 import double_sha256
from omnifolio.venues.utxo.raw import OTHER, RawTransaction, Reader, transparent
from omnifolio.venues.utxo.site import bytes_of

_OVERWINTERED = 1 << 31
_SPEND_BYTES, _OUTPUT_BYTES = 384, 948
_JOINSPLIT_HEAD_BYTES, _JOINSPLIT_TAIL_BYTES = 32 + 64 + 64 + 32 + 32 + 64, 2 * 601
_PROOF_BYTES = {False: 296, True: 192}
"""A JoinSplit's proof before and since version 4."""
_COMPACT_SPEND_BYTES, _COMPACT_OUTPUT_BYTES = 96, 756
_PROOF, _SIGNATURE, _ANCHOR = 192, 64, 32
_ACTION_BYTES = 820


def read_zcash(text: str, name: str) -> RawTransaction:
    """The transaction of that name. Raises: VenueBadResponse."""
    data = bytes_of(text)
    reader = Reader(data, 0)
    header = reader.number(4)
    version = header & ~_OVERWINTERED
    if header & _OVERWINTERED:
        reader.take(4)
    if not 1 <= version <= 5 or (version >= 3) != bool(header & _OVERWINTERED):
        raise VenueBadResponse(f"a transaction has the version {version}, which is not read")
    if version == 5:
        reader.take(4 + 4 + 4)
        found = transparent(reader)
        shielded = _sapling(reader) + _orchard(reader)
    else:
        if double_sha256(data)[::-1].hex() != name:
            raise VenueBadResponse(OTHER)
        found = transparent(reader)
        reader.take(4 if version < 3 else 8)
        shielded = _before(reader, version)
    return RawTransaction(found.inputs, found.outputs, found.is_coinbase, shielded)


def _before(reader: Reader, version: int) -> int:
    """What the pools gave up to version 4."""
    found = 0
    if version == 4:
        found = reader.number(8, is_signed=True)
        reader.take(_SPEND_BYTES * reader.count())
        reader.take(_OUTPUT_BYTES * reader.count())
    for _ in range(reader.count() if version >= 2 else 0):
        found -= reader.number(8)
        found += reader.number(8)
        reader.take(_JOINSPLIT_HEAD_BYTES + _PROOF_BYTES[version == 4] + _JOINSPLIT_TAIL_BYTES)
    return found


def _sapling(reader: Reader) -> int:
    """What Sapling's pool gave, of version 5."""
    spends = reader.count()
    reader.take(_COMPACT_SPEND_BYTES * spends)
    outputs = reader.count()
    reader.take(_COMPACT_OUTPUT_BYTES * outputs)
    if not spends + outputs:
        return 0
    found = reader.number(8, is_signed=True)
    reader.take((_ANCHOR if spends else 0) + (_PROOF + _SIGNATURE) * spends + _PROOF * outputs + _SIGNATURE)
    return found


def _orchard(reader: Reader) -> int:
    """What Orchard's pool gave."""
    actions = reader.count()
    reader.take(_ACTION_BYTES * actions)
    if not actions:
        return 0
    reader.take(1)
    return reader.number(8, is_signed=True)
