"""What stands where in the bytes of accounts: token accounts, mints and stake accounts.

Sources, seen 2026-11: `state.rs` of SPL Token (Token-2022 begins alike and adds extensions behind) and of the stake program.
"""

from msgspec import Struct

from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues import base58
from omnifolio.venues.solana.shapes import AccountInfo

SYSTEM = "11111111111111111111111111111111"
SPL = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SPL_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
TOKEN_PROGRAMS = (SPL, SPL_2022)
STAKE = "Stake11111111111111111111111111111111111111"
WRAPPED = "So11111111111111111111111111111111111111112"
"""The mint of wrapped SOL: the lamports of its token accounts, but for the rent, are the token."""

TOKEN_ACCOUNT_BYTES = 165
MINT_BYTES = 82
STAKE_BYTES = 200
WITHDRAWER_AT = 44
"""Where the key stands in a stake account that may take the coins out."""
_KEY = 32
_STAKE_STATES = (1, 2)
"""Initialised, and delegated once: the states in which there is a withdrawer."""


class TokenHeld(Struct, frozen=True):
    """A token account. `lamports` beside what a wrapped coin's account holds as the token."""

    mint: str
    owner: str
    units: int
    lamports: int


class Mint(Struct, frozen=True):
    """A token's mint. `supply` None: nobody told it."""

    decimals: int
    supply: int | None

    @property
    def is_single(self) -> bool:
        """There is one of it at most and no part of one: a collectible; also after it was burnt."""
        return self.decimals == 0 and self.supply is not None and self.supply <= 1


def token_account(account: AccountInfo) -> TokenHeld:
    """The token account. Raises: VenueBadResponse."""
    data = account.content
    if account.owner not in TOKEN_PROGRAMS or len(data) < TOKEN_ACCOUNT_BYTES:
        raise VenueBadResponse("the node calls something a token account that is none")
    mint, units = base58.encode(data[:_KEY]), _number(data, 64)
    inside = units if mint == WRAPPED else 0
    return TokenHeld(mint, base58.encode(data[_KEY : 2 * _KEY]), units, account.lamports - inside)


def mint_of(account: AccountInfo | None) -> Mint | None:
    """The mint, or None where the account is none (any more), or one of whose token no amount can be held."""
    if account is None or account.owner not in TOKEN_PROGRAMS:
        return None
    data = account.content
    is_readable = len(data) >= MINT_BYTES and data[44] <= FRACTION_DIGITS_MAX
    return Mint(decimals=data[44], supply=_number(data, 36)) if is_readable else None


def is_staked_for(account: AccountInfo, wallet: str) -> bool:
    """Whether it is a stake account whose coins go to the wallet."""
    data = account.content
    is_stake = account.owner == STAKE and len(data) >= STAKE_BYTES
    return is_stake and data[0] in _STAKE_STATES and base58.encode(data[WITHDRAWER_AT : WITHDRAWER_AT + _KEY]) == wallet


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
