"""Blockbook's HTTP API of version 2, which serves most UTXO coins in one shape: pages by number, amounts as text in units.

It could be asked for a whole extended key; it is asked for single addresses only, so that it never learns those to come.
Source: Blockbook's `docs/api.md`; seen 2026-11.
"""

from collections.abc import Sequence

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.transport.egress import Budget
from omnifolio.venues.answers import shaped
from omnifolio.venues.utxo.address import script_of
from omnifolio.venues.utxo.site import Name, Stated, StatedCoin, Summary, bytes_of, number_of

PAGE = 50


class _Best(Struct, rename="camel"):
    best_height: int


class _Status(Struct):
    blockbook: _Best


class _Index(Struct, rename="camel"):
    block_hash: str


class _Address(Struct, rename="camel"):
    address: str
    balance: str = "0"
    unconfirmed_balance: str = "0"
    unconfirmed_txs: int = 0
    txs: int = 0


class _Input(Struct, rename="camel"):
    txid: str = ""
    value: str = "0"
    addresses: list[str] | None = None
    is_address: bool = False


class _Output(Struct):
    value: str = "0"
    hex: str = ""


class _Transaction(Struct, rename="camel"):
    txid: Name
    vin: list[_Input]
    vout: list[_Output]
    block_height: int = -1
    block_time: int = 0
    block_hash: str = ""


class _Page(Struct, rename="camel"):
    address: str
    total_pages: int = 0
    transactions: list[_Transaction] = []


class Blockbook:
    """See `Site`."""

    budget: Budget = Budget(burst=20, per_s=4)
    page: int = PAGE
    paths: tuple[str, ...] = ("/api/", "/api/v2/block-index/{height}", "/api/v2/address/{address}")

    def tip_path(self) -> str:
        """See `Site`."""
        return "/api/"

    def tip(self, body: bytes) -> int:
        """See `Site`."""
        return shaped(body, _Status).blockbook.best_height

    def block_path(self, height: int) -> str:
        """See `Site`."""
        return f"/api/v2/block-index/{height}"

    def block_hash(self, body: bytes) -> str:
        """See `Site`."""
        return bytes_of(shaped(body, _Index).block_hash).hex()

    def summary_path(self, address: str) -> str:
        """See `Site`."""
        return f"/api/v2/address/{address}?details=basic"

    def summary(self, body: bytes) -> Summary:
        """See `Site`."""
        stated = shaped(body, _Address)
        return Summary(stated.txs, stated.unconfirmed_txs, number_of(stated.balance) + number_of(stated.unconfirmed_balance))

    def page_path(self, address: str, *, after: str, top: int) -> str:
        """See `Site`; `after` is the number of the page before."""
        page = int(after or "0") + 1
        return f"/api/v2/address/{address}?details=txs&page={page}&pageSize={PAGE}&to={top}"

    def waiting_path(self, address: str, *, top: int) -> str:
        """See `Site`; what waits is listed where no last block is named."""
        return f"/api/v2/address/{address}?details=txs&page=1&pageSize={PAGE}&from={top + 1}"

    def transaction_path(self, name: str) -> str:
        """See `Site`."""
        return f"/api/v2/tx/{name}"

    def transactions(self, chain: UtxoChain, body: bytes) -> list[Stated]:
        """See `Site`."""
        return [_stated(chain, found) for found in shaped(body, _Page).transactions]

    def next_after(self, body: bytes, found: Sequence[Stated], *, after: str) -> str:
        """See `Site`; beyond the last page Blockbook gives that page again."""
        page = int(after or "0") + 1
        return str(page) if page < shaped(body, _Page).total_pages else ""


def _stated(chain: UtxoChain, found: _Transaction) -> Stated:
    is_coinbase = any(not source.txid for source in found.vin)
    return Stated(
        name=found.txid,
        inputs=() if is_coinbase else tuple(_spent(chain, source) for source in found.vin),
        outputs=tuple(StatedCoin(number_of(output.value), bytes_of(output.hex)) for output in found.vout),
        is_coinbase=is_coinbase,
        height=found.block_height if found.block_height > 0 else None,
        block_hash=found.block_hash,
        at=EpochMs(found.block_time * 1000) if found.block_time else None,
    )


def _spent(chain: UtxoChain, source: _Input) -> StatedCoin:
    """What an input spends: its address says the script, where it has one."""
    script = b""
    if source.is_address and source.addresses:
        try:
            script = script_of(chain, source.addresses[0])
        except InvalidField:
            raise VenueBadResponse(f"the server names an address that is none of {chain.name}") from None
    return StatedCoin(number_of(source.value), script)
