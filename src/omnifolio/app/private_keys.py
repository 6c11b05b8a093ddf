"""Recognises what must never be entrusted to a server that only reads: private keys and seed phrases of chains."""

import re
from collections.abc import Mapping
from hashlib import sha256

from omnifolio.model.errors import PrivateKeyRefused

_NAMES = re.compile(
    r"(private|priv|signing|spend)_?key|seed(_?phrase)?|mnemonic|recovery_?phrase|wallet_?password|keystore", re.IGNORECASE
)
_EXTENDED = re.compile(r"([xyztuv]prv|[lm]tpv|dgpv|drkv)[1-9A-HJ-NP-Za-km-z]{70,}", re.IGNORECASE)
_WIF = re.compile(r"[5KL9cT6QX7][1-9A-HJ-NP-Za-km-z]{50,51}")
_PREFIXED_HEX = re.compile(r"0x[0-9a-fA-F]{64}")
_BARE_HEX = re.compile(r"[0-9a-fA-F]{64}")
_SOLANA = re.compile(r"[1-9A-HJ-NP-Za-km-z]{86,88}")
_BYTE_LIST = re.compile(r"\[\s*\d{1,3}(\s*,\s*\d{1,3}){31,63}\s*\]")
_WORDS = re.compile(r"[a-z]{3,8}")
_PHRASE_LENGTHS = (12, 15, 18, 21, 24, 25)
"""Words in a seed phrase: BIP-39's lengths, and Monero's and Algorand's 25."""
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_FORMS = (_EXTENDED, _PREFIXED_HEX, _BYTE_LIST)
_ADDRESS_FORMS = (*_KEY_FORMS, _BARE_HEX, _SOLANA)


def refuse_private_keys(
    fields: Mapping[str, str], *, of_address: frozenset[str] = frozenset(), of_long_hex: frozenset[str] = frozenset()
) -> None:
    """Looks at every value that a caller wants to entrust.

    `of_address` names the fields that hold public addresses: there even the forms that an exchange's API secret may share are
    refused (64 hexadecimal digits, 64 bytes in base58), but for 32 bytes after `0x` where `of_long_hex` names them: there that is
    what an address looks like. An exchange's own API key in PEM is no chain key and passes.

    Raises: PrivateKeyRefused naming the field, never the value.
    """
    for name, value in fields.items():
        text = value.strip()
        is_meant = name in of_long_hex and _PREFIXED_HEX.fullmatch(text) is not None
        if _NAMES.fullmatch(name) or _is_phrase(text) or (not is_meant and _matches(text, is_address=name in of_address)):
            raise PrivateKeyRefused(
                f"credentials: {name[:40]} looks like a private key or a seed phrase of a chain; it was not stored"
            )


def _is_phrase(text: str) -> bool:
    words = text.lower().split()
    return len(words) in _PHRASE_LENGTHS and all(_WORDS.fullmatch(word) for word in words)


def _matches(text: str, *, is_address: bool) -> bool:
    if _WIF.fullmatch(text) and _is_base58_check(text):
        return True
    return any(form.fullmatch(text) for form in (_ADDRESS_FORMS if is_address else _KEY_FORMS))


def _is_base58_check(text: str) -> bool:
    """Whether the last four bytes are the checksum of the others, as in every private key in wallet import format."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]
