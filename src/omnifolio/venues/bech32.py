"""Texts of the bech32 alphabet: plain ones (BIP-173), segwit addresses (BIP-350 too) and CashAddr (Bitcoin Cash, 2017).

All of them write five bits a character and end in a checksum over prefix and data, of other polynomials and constants.
"""

from collections.abc import Iterable, Sequence

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_BECH32, _BECH32M = 1, 0x2BC830A3
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_GENERATORS = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)
_LENGTH_MAX, _CHECKSUM_LENGTH = 90, 6
_WRONG = "its checksum does not fit, so a character is wrong, missing or too many"

CASH_HASH_BYTES = 20
"""The only length of hash that Bitcoin Cash uses in addresses."""


def decode_plain(text: str, *, length_max: int = _LENGTH_MAX) -> tuple[str, bytes]:
    """Prefix and bytes of a plain bech32 text; Cardano's are longer than BIP-173's. Raises: ValueError saying what is wrong."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("it mixes small and capital letters, which such addresses never do")
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix or len(text) > length_max or len(rest) < _CHECKSUM_LENGTH:
        raise ValueError(f"expected a prefix, the digit 1, and at most {length_max} characters")
    values = _values(rest)
    if _polymod([*_expanded(prefix), *values]) != _BECH32:
        raise ValueError(_WRONG)
    return prefix, bytes(_regrouped(values[:-6], 5, 8, is_padded=False))


def encode_plain(prefix: str, data: bytes) -> str:
    """The plain bech32 text of bytes under a prefix."""
    values = list(_regrouped(data, 8, 5, is_padded=True))
    checksum = _polymod([*_expanded(prefix), *values, *bytes(6)]) ^ _BECH32
    return prefix + "1" + _text([*values, *(checksum >> 5 * (5 - n) & 31 for n in range(6))])


def decode_segwit(hrp: str, text: str) -> tuple[int, bytes]:
    """Witness version and program of an address with that prefix. Raises: ValueError saying what is wrong."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("it mixes small and capital letters, which such addresses never do")
    plain = text.lower()
    prefix, _, rest = plain.rpartition("1")
    if prefix != hrp or len(plain) > _LENGTH_MAX:
        raise ValueError(f"expected the prefix {hrp}1 and at most {_LENGTH_MAX} characters")
    values = _values(rest)
    if len(values) < 7:
        raise ValueError("it ends too early")
    version = values[0]
    constant = _BECH32 if version == 0 else _BECH32M
    if _polymod([*_expanded(hrp), *values]) != constant:
        raise ValueError(_WRONG)
    program = bytes(_regrouped(values[1:-6], 5, 8, is_padded=False))
    if version > 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("it carries a witness program that no version has")
    return version, program


def encode_segwit(hrp: str, version: int, program: bytes) -> str:
    """The address of a witness program."""
    values = [version, *_regrouped(program, 8, 5, is_padded=True)]
    constant = _BECH32 if version == 0 else _BECH32M
    checksum = _polymod([*_expanded(hrp), *values, *bytes(6)]) ^ constant
    return hrp + "1" + _text([*values, *(checksum >> 5 * (5 - n) & 31 for n in range(6))])


def decode_cash(prefix: str, text: str) -> tuple[int, bytes]:
    """Type (0 key hash, 1 script hash) and hash of a CashAddr, written with or without its prefix. Raises: ValueError."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("it mixes small and capital letters, which such addresses never do")
    given, separator, rest = text.lower().rpartition(":")
    if separator and given != prefix:
        raise ValueError(f"expected the prefix {prefix}:")
    values = _values(rest)
    if _cash_polymod([*(ord(letter) & 31 for letter in prefix), 0, *values]) or len(values) < 9:
        raise ValueError(_WRONG)
    data = bytes(_regrouped(values[:-8], 5, 8, is_padded=False))
    if len(data) != 1 + CASH_HASH_BYTES or data[0] & 7:
        raise ValueError("it carries a hash of a length that no address has")
    return data[0] >> 3, data[1:]


def encode_cash(prefix: str, kind: int, digest: bytes) -> str:
    """The CashAddr of a hash, with its prefix."""
    assert len(digest) == CASH_HASH_BYTES, "the size bits of the version byte stay zero"
    values = list(_regrouped(bytes([kind << 3]) + digest, 8, 5, is_padded=True))
    checksum = _cash_polymod([*(ord(letter) & 31 for letter in prefix), 0, *values, *bytes(8)])
    return f"{prefix}:" + _text([*values, *(checksum >> 5 * (7 - n) & 31 for n in range(8))])


def _values(text: str) -> list[int]:
    for letter in text:
        if letter not in _VALUES:
            raise ValueError(f"{letter!r} is in no such text (it has neither 1, b, i nor o)")
    return [_VALUES[letter] for letter in text]


def _text(values: Iterable[int]) -> str:
    return "".join(_ALPHABET[value] for value in values)


def _expanded(hrp: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in hrp), 0, *(ord(letter) & 31 for letter in hrp)]


def _polymod(values: Sequence[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for n, generator in enumerate(_GENERATORS):
            checksum ^= generator if top >> n & 1 else 0
    return checksum


def _cash_polymod(values: Sequence[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 35
        checksum = (checksum & 0x07FFFFFFFF) << 5 ^ value
        for n, generator in enumerate(_CASH_GENERATORS):
            checksum ^= generator if top >> n & 1 else 0
    return checksum ^ 1


def _regrouped(values: Iterable[int], width: int, target: int, *, is_padded: bool) -> Iterable[int]:
    """The same bits in groups of another width. Raises: ValueError for padding that is too long or not zero."""
    number, bits, found = 0, 0, []
    for value in values:
        number, bits = number << width | value, bits + width
        while bits >= target:
            bits -= target
            found.append(number >> bits & ((1 << target) - 1))
        number &= (1 << bits) - 1
    if is_padded:
        return [*found, number << (target - bits)] if bits else found
    if bits >= width or number:
        raise ValueError("the bits that fill its end are not as they must be")
    return found
