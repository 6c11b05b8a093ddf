"""The answers of TON's indexer (API v3), as far as they are read; what is used must have the type that is stated.

Source: the API's published models (toncenter/ton-indexer, 2026-07) and TON's documentation of API v3, seen 2026-11.
"""

import re
from typing import Annotated, TypeVar

from msgspec import Meta, Raw, Struct

T = TypeVar("T")
Digits = Annotated[str, Meta(pattern="^[0-9]{1,60}$")]
"""A whole number as text."""
_ACCOUNT = re.compile("(0|-1):[0-9A-Fa-f]{64}")
RawAddress = Annotated[str, Meta(pattern=f"^{_ACCOUNT.pattern}$")]
"""An account, raw."""
Hash = Annotated[str, Meta(pattern="^[A-Za-z0-9+/]{43}=$")]
"""32 bytes in base64."""


class State(Struct, frozen=True):
    """What an account held before or after a transaction; null where the indexer does not know."""

    balance: Digits | None = None


class Content(Struct, frozen=True):
    """The body of a message: a bag of cells in base64."""

    body: str | None = None


class Message(Struct, frozen=True):
    """A message. Without an account as its source it came from outside, without one as its destination it goes there."""

    source: str | None = None
    destination: str | None = None
    value: Digits | None = None
    fwd_fee: Digits | None = None
    ihr_fee: Digits | None = None
    created_lt: Digits | None = None
    opcode: str | None = None
    bounced: bool | None = None
    message_content: Content | None = None

    @property
    def sender(self) -> str | None:
        """The account that sent it."""
        return self.source if self.source and _ACCOUNT.fullmatch(self.source) else None

    @property
    def receiver(self) -> str | None:
        """The account that it goes to."""
        return self.destination if self.destination and _ACCOUNT.fullmatch(self.destination) else None

    @property
    def units(self) -> int:
        """The coins that it carries."""
        return int(self.value or 0)

    @property
    def number(self) -> int | None:
        """The first 32 bits of its body."""
        try:
            return int(self.opcode, 16) if self.opcode else None
        except ValueError:
            return None


class Description(Struct, frozen=True):
    """How a transaction went."""

    aborted: bool | None = None
    bounce: Raw = Raw(b"null")


class Transaction(Struct, frozen=True):
    """One transaction of one account; `lt` orders them."""

    account: RawAddress
    hash: Hash
    lt: Digits
    now: int
    prev_trans_lt: Digits
    total_fees: Digits
    description: Description
    out_msgs: tuple[Message, ...] | None = None
    in_msg: Message | None = None
    account_state_before: State | None = None
    account_state_after: State | None = None
    orig_status: str = ""
    trace_id: Hash | None = None
    mc_block_seqno: int | None = None

    @property
    def sent(self) -> tuple[Message, ...]:
        """The messages that it sent."""
        return self.out_msgs or ()


class Transactions(Struct, frozen=True):
    """The answer of /transactions."""

    transactions: tuple[Transaction, ...]


class Account(Struct, frozen=True):
    """An account now."""

    address: RawAddress | None = None
    balance: Digits | None = None
    last_transaction_lt: Digits | None = None
    extra_currencies: dict[str, str] | None = None


class Accounts(Struct, frozen=True):
    """The answer of /accountStates."""

    accounts: tuple[Account, ...]


class Told(Struct, frozen=True):
    """What the indexer knows of an address; each part may be anything that its owner wrote."""

    token_info: tuple[Raw, ...] | None = None


class Named(Struct, frozen=True):
    """What a token says of itself."""

    type: str = ""
    name: str | None = None
    symbol: str | None = None
    extra: Raw = Raw(b"null")


class JettonWallet(Struct, frozen=True):
    """The account that holds one jetton for one owner."""

    address: RawAddress
    balance: Digits
    owner: RawAddress
    jetton: RawAddress
    last_transaction_lt: Digits


class JettonWallets(Struct, frozen=True):
    """The answer of /jetton/wallets."""

    jetton_wallets: tuple[JettonWallet, ...]
    metadata: dict[str, Told] | None = None


class Item(Struct, frozen=True):
    """An NFT."""

    address: RawAddress
    collection_address: RawAddress | None = None


class Items(Struct, frozen=True):
    """The answer of /nft/items."""

    nft_items: tuple[Item, ...]
    metadata: dict[str, Told] | None = None


class ItemMove(Struct, frozen=True):
    """An NFT that changed hands."""

    nft_address: RawAddress
    transaction_hash: Hash
    transaction_lt: Digits
    transaction_now: int
    old_owner: RawAddress
    new_owner: RawAddress
    transaction_aborted: bool = False
    nft_collection: RawAddress | None = None
    trace_id: Hash | None = None


class ItemMoves(Struct, frozen=True):
    """The answer of /nft/transfers."""

    nft_transfers: tuple[ItemMove, ...]
    metadata: dict[str, Told] | None = None


class Block(Struct, frozen=True):
    """A block of the masterchain; `gen_utime` in seconds."""

    gen_utime: Digits
    seqno: int = 0


class Head(Struct, frozen=True):
    """The answer of /masterchainInfo: how far the indexer has come."""

    last: Block
