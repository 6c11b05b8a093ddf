"""The answers of a TRON node and of TronGrid's index, as far as they are read; what is used must have the type that is stated.

A field whose value is zero, false or empty is left out by both. Sources, seen 2026-11: java-tron's HTTP API documentation and
`Tron.proto`; TronGrid's v1 API documentation.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Raw, Struct

from omnifolio.model.errors import VenueBadResponse

T = TypeVar("T")

SAY_ALL = frozenset(
    {
        "TransferContract", "TransferAssetContract", "VoteWitnessContract", "DelegateResourceContract",
        "UnDelegateResourceContract", "AccountCreateContract", "AccountUpdateContract", "AccountPermissionUpdateContract",
    }
)  # fmt: skip
"""Types of transactions of which a node's word on what they did adds nothing."""


class Ret(Struct, frozen=True, rename={"contract_ret": "contractRet"}):
    """How a transaction ended. `fee` is all that it burned, in sun; a node's own copy does not state it."""

    contract_ret: str = ""
    fee: int | None = None


class Parameter(Struct, frozen=True):
    """What was asked of a contract of a certain type."""

    value: Raw = Raw(b"{}")


class Contract(Struct, frozen=True):
    """The one thing that a transaction does."""

    type: str
    parameter: Parameter = Parameter()


class RawData(Struct, frozen=True):
    """What was signed."""

    contract: tuple[Contract, ...]


class NewContract(Struct, frozen=True):
    """A contract that is being made, and the coins that it is given."""

    call_value: int = 0


class Value(Struct, frozen=True):
    """Fields of the types that move something, each of its own type; addresses in any spelling."""

    owner_address: str = ""
    to_address: str = ""
    contract_address: str = ""
    asset_name: str = ""
    amount: int = 0
    call_value: int = 0
    call_token_value: int = 0
    token_id: int = 0
    frozen_balance: int = 0
    unfreeze_balance: int = 0
    new_contract: NewContract = NewContract()


class Owner(Struct, frozen=True):
    """Who sent a transaction of any type."""

    owner_address: str = ""


class TokenInfo(Struct, frozen=True):
    """What an index says of a TRC-20 contract, as the contract says it: anybody may have made it, so anything may stand there."""

    address: str = ""
    symbol: str | None = ""
    name: str | None = ""
    decimals: int | str | None = None


class Row(Struct, frozen=True, rename={"tx_hash": "txID", "block_number": "blockNumber"}):
    """A line of any of the index's lists: a transaction as it was signed, a transfer of a token, a call inside a transaction."""

    block_timestamp: int
    tx_hash: str = ""
    transaction_id: str = ""
    tx_id: str = ""
    ret: tuple[Ret, ...] = ()
    raw_data: RawData | None = None
    block_number: int = 0
    token_info: TokenInfo | None = None

    @property
    def name(self) -> str:
        """The transaction's id. Raises: VenueBadResponse."""
        found = self.tx_hash or self.transaction_id or self.tx_id
        if not found:
            raise VenueBadResponse("the index lists a line without a transaction's id")
        return found.lower()

    @property
    def tells_all(self) -> bool:
        """Whether nothing needs to be asked: of types that move just what they say, and of which the fee is stated."""
        types = {contract.type for contract in self.raw_data.contract} if self.raw_data is not None else set()
        return bool(types) and types <= SAY_ALL and bool(self.ret) and self.ret[0].fee is not None


class Meta(Struct, frozen=True):
    """How a list goes on: the fingerprint of the next page, "" at its end."""

    fingerprint: str = ""


class Listed(Struct, frozen=True):
    """A page of a list."""

    data: tuple[Row, ...]
    meta: Meta = Meta()


class Indexed(Struct, frozen=True):
    """What the index knows of an address: the TRC-20 contracts in which it holds something, with the amounts in units."""

    trc20: tuple[dict[str, str], ...] = ()


class Found(Struct, frozen=True):
    """The answer about one address; empty where it was never used."""

    data: tuple[Indexed, ...] = ()


class Signed(Struct, frozen=True, rename={"tx_hash": "txID"}):
    """A transaction as a node tells it; everything is left out where it has none."""

    tx_hash: str = ""
    raw_data: RawData | None = None


class Receipt(Struct, frozen=True):
    """How a contract's run ended."""

    result: str = ""


class Log(Struct, frozen=True):
    """An event of a contract. The address has 20 bytes."""

    address: str
    topics: tuple[str, ...] = ()
    data: str = ""


class CallValue(Struct, frozen=True, rename={"call_value": "callValue", "token_id": "tokenId"}):
    """What a call inside brought along: coins, or a TRC-10 token where its number is told."""

    call_value: int = 0
    token_id: str = ""


class Inside(Struct, frozen=True, rename={"transfer_to_address": "transferTo_address", "call_value_info": "callValueInfo"}):
    """A call inside a transaction."""

    caller_address: str
    transfer_to_address: str = ""
    call_value_info: tuple[CallValue, ...] = ()
    rejected: bool = False
    note: str = ""
    """What kind of call it is, in hexadecimal."""


class Pair(Struct, frozen=True):
    """An entry of a map."""

    key: str
    value: int = 0


class Info(
    Struct,
    frozen=True,
    rename={
        "block_number": "blockNumber",
        "block_timestamp": "blockTimeStamp",
        "cancel_unfreeze_v2_amount": "cancel_unfreezeV2_amount",
    },
):
    """What a transaction did, as a node tells it; everything is left out where it has none."""

    id: str = ""
    fee: int = 0
    block_number: int = 0
    block_timestamp: int = 0
    contract_address: str = ""
    receipt: Receipt = Receipt()
    result: str = ""
    log: tuple[Log, ...] = ()
    internal_transactions: tuple[Inside, ...] = ()
    withdraw_amount: int = 0
    unfreeze_amount: int = 0
    withdraw_expire_amount: int = 0
    cancel_unfreeze_v2_amount: tuple[Pair, ...] | dict[str, int] = ()

    @property
    def staked_again(self) -> int:
        """What was unfreezing and is staked again, in sun."""
        told = self.cancel_unfreeze_v2_amount
        return sum(told.values()) if isinstance(told, dict) else sum(pair.value for pair in told)


class Frozen(Struct, frozen=True):
    """Coins staked in the first way."""

    frozen_balance: int = 0


class FrozenV2(Struct, frozen=True):
    """Coins staked for one resource."""

    amount: int = 0


class Unfreezing(Struct, frozen=True):
    """Coins that were unstaked, and when they can be taken out, in ms."""

    unfreeze_amount: int = 0
    unfreeze_expire_time: int = 0


class Resource(Struct, frozen=True, rename={"delegated_frozen_v2_balance_for_energy": "delegated_frozenV2_balance_for_energy"}):
    """What was staked for energy in the first way, and what of it was given to others."""

    frozen_balance_for_energy: Frozen = Frozen()
    delegated_frozen_balance_for_energy: int = 0
    delegated_frozen_v2_balance_for_energy: int = 0


_ACCOUNT: Mapping[str, str] = {
    "frozen_v2": "frozenV2",
    "unfrozen_v2": "unfrozenV2",
    "delegated_frozen_v2_balance_for_bandwidth": "delegated_frozenV2_balance_for_bandwidth",
    "asset_v2": "assetV2",
    "latest_operation_time": "latest_opration_time",
}


class Account(Struct, frozen=True, rename=_ACCOUNT):
    """An address's own record. Resources that others lend to it are nothing that it owns, and not read."""

    address: str = ""
    balance: int = 0
    frozen: tuple[Frozen, ...] = ()
    frozen_v2: tuple[FrozenV2, ...] = ()
    unfrozen_v2: tuple[Unfreezing, ...] = ()
    tron_power: Frozen = Frozen()
    delegated_frozen_balance_for_bandwidth: int = 0
    delegated_frozen_v2_balance_for_bandwidth: int = 0
    account_resource: Resource = Resource()
    asset_v2: tuple[Pair, ...] = ()
    latest_operation_time: int = 0

    @property
    def staked(self) -> int:
        """All that is staked, in sun; what is lent to others as a resource stays the owner's, and is told apart."""
        first = sum(
            item.frozen_balance for item in (*self.frozen, self.tron_power, self.account_resource.frozen_balance_for_energy)
        )
        second = sum(item.amount for item in self.frozen_v2)
        lent = self.delegated_frozen_balance_for_bandwidth + self.delegated_frozen_v2_balance_for_bandwidth
        resource = self.account_resource
        return (
            first + second + lent + resource.delegated_frozen_balance_for_energy + resource.delegated_frozen_v2_balance_for_energy
        )


class Reward(Struct, frozen=True):
    """What voting has earned and nobody has claimed, in sun."""

    reward: int = 0


class Asset(Struct, frozen=True):
    """A TRC-10 token; names in hexadecimal. Without `precision` it has no decimals."""

    id: str = ""
    name: str = ""
    abbr: str = ""
    precision: int = 0


class Returned(Struct, frozen=True):
    """Whether a call that changes nothing went well."""

    result: bool = False
    message: str = ""


class Constant(Struct, frozen=True):
    """What a contract answered, in hexadecimal words."""

    result: Returned = Returned()
    constant_result: tuple[str, ...] = ()


class Block(Struct, frozen=True, rename={"block_hash": "blockID"}):
    """A block's hash."""

    block_hash: str = ""


class Operation(Struct, frozen=True):
    """One change of one balance of coins, in sun."""

    address: str
    amount: int = 0


class Traced(Struct, frozen=True):
    """The changes of one transaction."""

    transaction_identifier: str = ""
    operation: tuple[Operation, ...] = ()


class BalanceTrace(Struct, frozen=True):
    """The changes of all balances in one block; everything is left out where a node does not keep them."""

    transaction_balance_trace: tuple[Traced, ...] = ()
