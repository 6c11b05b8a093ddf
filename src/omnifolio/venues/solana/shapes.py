"""The answers of a Solana node, as far as they are read; what is used must have the type that is stated.

Source: Solana's RPC documentation (getTransaction, getSignaturesForAddress, getTokenAccountsByOwner and others, encodings `json`
and `base64`), seen 2026-11.
"""

import base64
import binascii
from typing import TypeVar

from msgspec import Raw, Struct

from omnifolio.model.errors import VenueBadResponse

T = TypeVar("T")
_NULL = b"null"


class UiAmount(Struct, frozen=True):
    """An amount of a token in units, as text, and the token's decimals."""

    amount: str
    decimals: int


class TokenBalance(Struct, frozen=True, rename="camel"):
    """What a token account held before or after a transaction. `owner` is "" in old records of some nodes."""

    account_index: int
    mint: str
    ui_token_amount: UiAmount
    owner: str = ""

    @property
    def units(self) -> int:
        """The amount in units. Raises: VenueBadResponse."""
        text = self.ui_token_amount.amount
        if not (text.isascii() and text.isdigit()):
            raise VenueBadResponse("the node states an amount that is no whole number")
        return int(text)


class Instruction(Struct, frozen=True, rename="camel"):
    """One call of a program; accounts are places in the transaction's list, `data` is base58."""

    program_id_index: int
    accounts: tuple[int, ...] = ()
    data: str = ""


class Inner(Struct, frozen=True):
    """What programs called in turn."""

    instructions: tuple[Instruction, ...] = ()


class Loaded(Struct, frozen=True):
    """Accounts that a transaction names by lookup tables; they follow its own in the list."""

    writable: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()


class Meta(Struct, frozen=True, rename="camel"):
    """What a transaction changed. Lists that a node does not keep are null."""

    fee: int
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    err: Raw = Raw(_NULL)
    pre_token_balances: tuple[TokenBalance, ...] | None = None
    post_token_balances: tuple[TokenBalance, ...] | None = None
    inner_instructions: tuple[Inner, ...] | None = None
    loaded_addresses: Loaded | None = None

    @property
    def is_failed(self) -> bool:
        """The transaction was undone, but for its fee."""
        return bytes(self.err) != _NULL


class Message(Struct, frozen=True, rename="camel"):
    """The accounts of a transaction, the payer of its fee first, and its instructions."""

    account_keys: tuple[str, ...]
    instructions: tuple[Instruction, ...] = ()


class Signed(Struct, frozen=True):
    """A transaction as it was sent."""

    signatures: tuple[str, ...]
    message: Message


class Told(Struct, frozen=True, rename="camel"):
    """A transaction as a node tells it. `block_time` in seconds; null where it is not known."""

    slot: int
    transaction: Signed
    meta: Meta | None
    block_time: int | None = None

    @property
    def accounts(self) -> tuple[str, ...]:
        """All accounts in the order of its lists. Raises: VenueBadResponse."""
        loaded = self.meta.loaded_addresses if self.meta else None
        found = (*self.transaction.message.account_keys, *(loaded.writable + loaded.readonly if loaded else ()))
        if self.meta and not len(found) == len(self.meta.pre_balances) == len(self.meta.post_balances):
            raise VenueBadResponse("a transaction has other accounts than balances")
        return found

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Its instructions, and those that programs called."""
        inner = (self.meta.inner_instructions if self.meta else None) or ()
        return self.transaction.message.instructions + tuple(one for group in inner for one in group.instructions)


class Signature(Struct, frozen=True, rename="camel"):
    """A line of an address's history."""

    signature: str
    slot: int
    block_time: int | None = None


class AccountInfo(Struct, frozen=True):
    """An account in base64: what it holds in lamports, who owns it, its bytes."""

    lamports: int
    owner: str
    data: tuple[str, str]

    @property
    def content(self) -> bytes:
        """The account's bytes. Raises: VenueBadResponse."""
        try:
            return base64.b64decode(self.data[0], validate=True)
        except binascii.Error:
            raise VenueBadResponse("the node states an account's bytes in another form than was asked for") from None


class KeyedAccount(Struct, frozen=True):
    """An account with its address."""

    pubkey: str
    account: AccountInfo


class Context(Struct, frozen=True):
    """When an answer holds."""

    slot: int


class Lamports(Struct, frozen=True):
    """The answer of getBalance."""

    context: Context
    value: int


class Accounts(Struct, frozen=True):
    """The answer of getTokenAccountsByOwner."""

    context: Context
    value: tuple[KeyedAccount, ...]


class Looked(Struct, frozen=True):
    """The answer of getMultipleAccounts, in the order of the question; null where there is no such account."""

    context: Context
    value: tuple[AccountInfo | None, ...]


class LookedAtOne(Struct, frozen=True):
    """The answer of getAccountInfo."""

    value: AccountInfo | None = None
