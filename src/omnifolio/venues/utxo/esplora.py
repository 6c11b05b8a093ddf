"""Esplora's HTTP API, as mempool.space and others serve it: 25 transactions a page, amounts in units.

Source: Esplora's `API.md`, mempool.space's REST documentation; seen 2026-11.
"""

from collections.abc import Sequence

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.transport.egress import Budget
from omnifolio.venues.answers import shaped
from omnifolio.venues.utxo.site import Name, Stated, StatedCoin, Summary, Units, bytes_of, number_of

PAGE = 25


class _Stats(Struct):
    funded_txo_sum: int = 0
    spent_txo_sum: int = 0
    tx_count: int = 0


class _Address(Struct):
    chain_stats: _Stats
    mempool_stats: _Stats


class _Output(Struct):
    scriptpubkey: str
    value: Units


class _Input(Struct):
    prevout: _Output | None = None
    is_coinbase: bool = False


class _Status(Struct):
    confirmed: bool
    block_height: int | None = None
    block_hash: Name | None = None
    block_time: int | None = None


class _Transaction(Struct):
    txid: Name
    vin: list[_Input]
    vout: list[_Output]
    status: _Status


class Esplora:
    """See `Site`."""

    budget: Budget = Budget(burst=20, per_s=4)
    page: int = PAGE
    paths: tuple[str, ...] = (
        "/blocks/tip/height",
        "/block-height/{height}",
        "/address/{address}",
        "/address/{address}/txs/chain",
        "/address/{address}/txs/chain/{after}",
        "/address/{address}/txs/mempool",
    )

    def tip_path(self) -> str:
        """See `Site`."""
        return "/blocks/tip/height"

    def tip(self, body: bytes) -> int:
        """See `Site`."""
        return number_of(body.decode("ascii", "replace"))

    def block_path(self, height: int) -> str:
        """See `Site`."""
        return f"/block-height/{height}"

    def block_hash(self, body: bytes) -> str:
        """See `Site`."""
        return bytes_of(body.decode("ascii", "replace").strip()).hex()

    def summary_path(self, address: str) -> str:
        """See `Site`."""
        return f"/address/{address}"

    def summary(self, body: bytes) -> Summary:
        """See `Site`."""
        stated = shaped(body, _Address)
        settled, waiting = stated.chain_stats, stated.mempool_stats
        units = settled.funded_txo_sum - settled.spent_txo_sum + waiting.funded_txo_sum - waiting.spent_txo_sum
        return Summary(settled.tx_count, waiting.tx_count, units)

    def page_path(self, address: str, *, after: str, top: int) -> str:
        """See `Site`; Esplora's pages hang on the last transaction, so they need no top."""
        return f"/address/{address}/txs/chain" + (f"/{after}" if after else "")

    def waiting_path(self, address: str, *, top: int) -> str:
        """See `Site`."""
        return f"/address/{address}/txs/mempool"

    def transaction_path(self, name: str) -> str:
        """See `Site`."""
        return f"/tx/{name}"

    def transactions(self, chain: UtxoChain, body: bytes) -> list[Stated]:
        """See `Site`."""
        return [_stated(found) for found in shaped(body, list[_Transaction])]

    def next_after(self, body: bytes, found: Sequence[Stated], *, after: str) -> str:
        """See `Site`."""
        return found[-1].name if len(found) >= PAGE else ""


def _stated(found: _Transaction) -> Stated:
    is_coinbase = any(source.is_coinbase for source in found.vin)
    if not is_coinbase and any(source.prevout is None for source in found.vin):
        raise VenueBadResponse("the server does not say what a transaction spends")
    status = found.status
    return Stated(
        name=found.txid,
        inputs=tuple(_coin(source.prevout) for source in found.vin if source.prevout is not None and not is_coinbase),
        outputs=tuple(map(_coin, found.vout)),
        is_coinbase=is_coinbase,
        height=status.block_height if status.confirmed else None,
        block_hash=status.block_hash or "",
        at=EpochMs(status.block_time * 1000) if status.confirmed and status.block_time is not None else None,
    )


def _coin(output: _Output) -> StatedCoin:
    return StatedCoin(output.value, bytes_of(output.scriptpubkey))
