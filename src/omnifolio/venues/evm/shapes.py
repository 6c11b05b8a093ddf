"""What nodes answer: the fields that are read of logs, receipts, transactions, blocks and traces. Other fields are ignored.

Source: the Ethereum execution API specification (2026), Geth's callTracer, the trace module of Erigon, Nethermind and Reth; the
fee fields of the OP Stack (`l1Fee`) and of EIP-4844. Hashes and addresses are lower-cased where they become facts.
"""

from msgspec import Struct, field


class Log(Struct, rename="camel", frozen=True, gc=False):
    """An event of a contract: what it says. Where it stands is the receipt's to say, or an `Occurrence`'s."""

    address: str
    topics: list[str]
    data: str
    log_index: str
    block_timestamp: str | int | None = None


class Occurrence(Struct, rename="camel", frozen=True, gc=False):
    """Where an event stands, for a reader that looks for transactions and not yet for what they say."""

    block_number: str = ""
    block_hash: str = ""
    transaction_hash: str = ""
    removed: bool = False


class Receipt(Struct, rename="camel", frozen=True):
    """What a transaction did. `status` is absent before Byzantium, `effective_gas_price` on nodes before London."""

    transaction_hash: str
    block_number: str
    gas_used: str
    logs: list[Log]
    sender: str = field(name="from")
    to: str | None = None
    block_hash: str = ""
    transaction_index: str = "0x0"
    status: str | None = None
    effective_gas_price: str | None = None
    contract_address: str | None = None
    l1_fee: str | None = field(name="l1Fee", default=None)
    blob_gas_used: str | None = None
    blob_gas_price: str | None = None
    block_timestamp: str | int | None = None


class Transaction(Struct, rename="camel", frozen=True):
    """What was asked for. `mint` is the coin that a deposit from layer 1 creates (OP Stack)."""

    hash: str
    value: str
    sender: str = field(name="from")
    to: str | None = None
    gas_price: str | None = None
    mint: str | None = None
    type: str = ""


class Block(Struct, frozen=True):
    """The header of a block."""

    number: str
    hash: str
    timestamp: str


class Frame(Struct, frozen=True):
    """A call of the callTracer with the calls that it made."""

    type: str
    sender: str = field(name="from", default="")
    to: str | None = None
    value: str | None = None
    error: str | None = None
    calls: list["Frame"] = []


class Action(Struct, frozen=True):
    """What a flat trace moved: `value` of a call or creation, `balance` of a contract that destroyed itself."""

    value: str | None = None
    balance: str | None = None


class Trace(Struct, rename="camel", frozen=True):
    """A call as `trace_filter` gives it: flat, without the calls around it. Rewards of miners have no transaction."""

    action: Action
    block_number: int
    block_hash: str
    trace_address: list[int]
    transaction_hash: str | None = None
