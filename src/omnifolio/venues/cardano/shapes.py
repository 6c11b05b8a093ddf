"""The answers of a Koios server, as far as they are read; what is used must have the type that is stated.

Amounts come as text. Source: Koios' specification, version 1.4 (tip, blocks, account_info, account_assets, account_txs,
account_reward_history, account_update_history, address_info, address_assets, address_txs, tx_info, asset_info), seen 2026-11.
"""

from typing import TypeVar

from msgspec import Raw, Struct

from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.answers import shaped

T = TypeVar("T")

DIGITS_MAX = 40
"""Digits of an amount in smallest units; the ledger itself holds 64 bits."""


class Tip(Struct, frozen=True):
    """The newest block; its height has changed its name."""

    hash: str
    epoch_no: int
    block_time: int
    block_height: int | None = None
    block_no: int | None = None

    @property
    def height(self) -> int:
        """Its height. Raises: VenueBadResponse."""
        found = self.block_height if self.block_height is not None else self.block_no
        if found is None:
            raise VenueBadResponse("the server does not say how high the newest block is")
        return found


class Block(Struct, frozen=True):
    """A block by its height."""

    hash: str
    block_height: int


class StakeAccount(Struct, frozen=True):
    """What a stake address stands for: coins at its addresses, rewards that can be withdrawn, the deposit that is locked."""

    stake_address: str
    utxo: str
    rewards_available: str
    deposit: str = "0"


class Address(Struct, frozen=True):
    """What lies at an address."""

    address: str
    balance: str


class Asset(Struct, frozen=True):
    """An amount of an asset in its smallest units. The decimals beside it are not read: 0 stands there for unknown, too."""

    policy_id: str
    quantity: str
    asset_name: str | None = None

    @property
    def key(self) -> str:
        """Policy and name in hexadecimal, as one text."""
        return self.policy_id + (self.asset_name or "")


class Listed(Struct, frozen=True):
    """A line of an address's transactions."""

    tx_hash: str
    block_height: int


class Update(Struct, frozen=True):
    """A line of what happened to a stake address: registrations, delegations, withdrawals."""

    tx_hash: str


class Reward(Struct, frozen=True):
    """A reward: earned in one epoch, there to be withdrawn from another on. `pool_id_bech32` null: it came from no pool."""

    spendable_epoch: int
    earned_epoch: int
    amount: str
    type: str
    pool_id_bech32: str | None = None


class PaymentAddress(Struct, frozen=True):
    """An address in its two forms."""

    bech32: str


class Coin(Struct, frozen=True):
    """An output, or the output that an input spends."""

    payment_addr: PaymentAddress
    tx_hash: str
    tx_index: int
    value: str
    stake_addr: str | None = None
    asset_list: Raw = Raw(b"null")

    @property
    def assets(self) -> tuple[Asset, ...]:
        """What lies there beside the coin; of an output that returns collateral it is told in words that are not read."""
        told = bytes(self.asset_list)
        return shaped(told, tuple[Asset, ...]) if told.startswith(b"[") else ()


class Withdrawal(Struct, frozen=True):
    """Rewards that a transaction withdraws."""

    amount: str
    stake_addr: str


class Concerned(Struct, frozen=True):
    """Whom a certificate is about, and what it locks."""

    stake_address: str | None = None
    deposit: str | None = None


class Certificate(Struct, frozen=True):
    """A certificate: its type, and what it says."""

    type: str
    info: Raw = Raw(b"null")


class Transaction(Struct, frozen=True):
    """A transaction with all that it spent, made, withdrew, minted and certified."""

    tx_hash: str
    block_hash: str
    block_height: int
    tx_timestamp: int
    fee: str
    inputs: tuple[Coin, ...]
    outputs: tuple[Coin, ...]
    deposit: str | None = None
    treasury_donation: str | None = None
    valid_contract: bool | None = None
    collateral_inputs: tuple[Coin, ...] | None = None
    collateral_output: Raw = Raw(b"null")
    withdrawals: tuple[Withdrawal, ...] | None = None
    certificates: tuple[Certificate, ...] | None = None

    @property
    def at(self) -> EpochMs:
        """When its block was made."""
        return EpochMs(self.tx_timestamp * SECOND_MS)

    @property
    def is_failed(self) -> bool:
        """Its script did not agree: only the collateral was spent."""
        return self.valid_contract is False

    @property
    def returned(self) -> tuple[Coin, ...]:
        """The output that gives back what was too much of the collateral: an object or a list. Raises: VenueBadResponse."""
        told = bytes(self.collateral_output)
        if told.startswith(b"["):
            return shaped(told, tuple[Coin, ...])
        return (shaped(told, Coin),) if told.startswith(b"{") else ()


class Registered(Struct, frozen=True):
    """What the token registry says of an asset."""

    name: str | None = None
    ticker: str | None = None
    decimals: int | None = None


class AssetInfo(Struct, frozen=True):
    """What is known of an asset: its supply, the registry's entry, and the metadata that its mint or its datum carries."""

    policy_id: str
    asset_name: str | None = None
    total_supply: str | None = None
    token_registry_metadata: Registered | None = None
    cip68_metadata: Raw = Raw(b"null")
    minting_tx_metadata: Raw = Raw(b"null")

    @property
    def key(self) -> str:
        """Policy and name in hexadecimal, as one text."""
        return self.policy_id + (self.asset_name or "")


def units(text: str | None) -> int:
    """A whole number that may be negative; nothing is none. Raises: VenueBadResponse."""
    plain = text or "0"
    if not (plain.isascii() and plain.removeprefix("-").isdigit() and len(plain) <= DIGITS_MAX):
        raise VenueBadResponse("the server states an amount that is no whole number")
    return int(plain)
