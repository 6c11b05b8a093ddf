"""Transactions in recorded answers of explorers, recognised by their form: blockchain.info, Esplora, Blockbook and haskoin.

A recording may hold one transaction, a page of them, or anything around them; whatever has one of the four forms is taken.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused
from omnifolio.model.facts import Batch, Cursor
from omnifolio.venues.utxo.site import Stated, StatedCoin, bytes_of
from omnifolio.venues.utxo.subject import subject_of
from omnifolio.venues.utxo.walk import SITES, batch_of

STREAM = "transfers"
SCRIPTS_PER_BRANCH = 100
"""Scripts of an extended key or descriptor that a recording is compared with."""
_DEPTH_MAX = 12


class _InfoCoin(Struct):
    value: int
    script: str = ""


class _InfoInput(Struct):
    prev_out: _InfoCoin | None = None


class _Info(Struct):
    """A transaction of blockchain.info."""

    hash: str
    inputs: list[_InfoInput]
    out: list[_InfoCoin]
    time: int
    block_height: int | None = None

    def stated(self) -> Stated:
        """The same in the words of every explorer; its block's hash is not told."""
        spent = [found.prev_out for found in self.inputs if found.prev_out is not None]
        return Stated(
            name=self.hash,
            inputs=tuple(StatedCoin(coin.value, bytes_of(coin.script)) for coin in spent),
            outputs=tuple(StatedCoin(coin.value, bytes_of(coin.script)) for coin in self.out),
            is_coinbase=not spent,
            height=self.block_height,
            block_hash="",
            at=EpochMs(self.time * 1000),
        )


class _HaskoinCoin(Struct):
    value: int = 0
    pkscript: str = ""
    coinbase: bool = False


class _HaskoinBlock(Struct, frozen=True):
    height: int | None = None


class _Haskoin(Struct):
    """A transaction of haskoin-store."""

    txid: str
    inputs: list[_HaskoinCoin]
    outputs: list[_HaskoinCoin]
    time: int
    block: _HaskoinBlock = _HaskoinBlock()

    def stated(self) -> Stated:
        """The same in the words of every explorer."""
        spent = [coin for coin in self.inputs if not coin.coinbase]
        return Stated(
            name=self.txid,
            inputs=tuple(StatedCoin(coin.value, bytes_of(coin.pkscript)) for coin in spent),
            outputs=tuple(StatedCoin(coin.value, bytes_of(coin.pkscript)) for coin in self.outputs),
            is_coinbase=not spent,
            height=self.block.height,
            block_hash="",
            at=EpochMs(self.time * 1000),
        )


def recognised(chain: UtxoChain, accounts: Sequence[str], bodies: Sequence[bytes], *, observed_at: EpochMs) -> list[Batch]:
    """For each account what the transactions in the recorded bodies moved of it. Raises: FileRefused, InvalidField."""
    found = [stated for body in bodies for stated in _transactions(chain, body)]
    batches = []
    for account in accounts:
        subject = subject_of(chain.id, account)
        ends = tuple(SCRIPTS_PER_BRANCH if branch.is_ranged else 1 for branch in subject.branches)
        stream = f"{STREAM}/{chain.id}"
        batches.append(batch_of(subject, Cursor(stream, "recorded"), found, ends=ends, observed_at=observed_at))
    return batches


def newest(chain: UtxoChain, bodies: Sequence[bytes]) -> EpochMs | None:
    """The latest instant that the recorded transactions state. Raises: FileRefused."""
    return max((stated.at for body in bodies for stated in _transactions(chain, body) if stated.at is not None), default=None)


def _transactions(chain: UtxoChain, body: bytes) -> Iterator[Stated]:
    try:
        yield from _within(chain, msgspec.json.decode(body), 0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(f"a recorded answer is not what it looks like: {error}") from None


def _within(chain: UtxoChain, value: Any, depth: int) -> Iterator[Stated]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value:
            yield from _within(chain, item, depth + 1)
    elif isinstance(value, dict):
        if {"hash", "inputs", "out"} <= value.keys():
            yield msgspec.convert(value, _Info).stated()
        elif {"txid", "inputs", "outputs"} <= value.keys():
            yield msgspec.convert(value, _Haskoin).stated()
        elif {"txid", "vin", "vout"} <= value.keys():
            yield from _of_site(chain, value)
        else:
            for item in value.values():
                yield from _within(chain, item, depth + 1)


def _of_site(chain: UtxoChain, value: dict[str, Any]) -> list[Stated]:
    if "status" in value:
        return SITES["esplora"].transactions(chain, msgspec.json.encode([value]))
    return SITES["blockbook"].transactions(chain, msgspec.json.encode({"address": "", "transactions": [value]}))
