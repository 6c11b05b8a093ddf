"""Recorded answers of a Substrate node, recognised by the question that each one answers: the coins of accounts."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.catalog.substrate_chains import SubstrateChain, substrate_chains
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor
from omnifolio.venues.answers import Recorded
from omnifolio.venues.substrate import storage
from omnifolio.venues.substrate.held import Held, Subject, snapshots, wallets_of
from omnifolio.venues.substrate.node import plain_bytes, reply_of

VENUE = "substrate"
"""What recordings call the family."""


class _Question(Struct, frozen=True):
    method: str = ""
    params: list[Any] = []


class _Changes(Struct, frozen=True):
    changes: list[tuple[str, str | None]] = []


class _Properties(Struct, frozen=True, rename="camel"):
    ss58_format: int | None = None
    token_symbol: Any = None


def recognised(takes: Sequence[Recorded], *, observed_at: EpochMs) -> tuple[SubstrateChain, list[Batch]] | None:
    """The chain and, for each account, what the recorded answers say of it; None where they do not say which chain it is.

    Raises: VenueBadResponse.
    """
    asked = [(_question(take), take.answer) for take in takes]
    chain = _chain(asked)
    if chain is None:
        return None
    stream = f"recorded/{chain.id}"
    return chain, [
        Batch(
            cursor=Cursor(stream, "read"),
            observed_at=observed_at,
            tokens=(chain.native,),
            wallets=wallets_of(Subject(chain, account)),
            snapshots=snapshots(Subject(chain, account), _held(coins), (), at=observed_at),
            done=True,
        )
        for account, coins in dict(_coins(asked)).items()
    ]


def _held(coins: storage.Amounts) -> Held:
    """Nothing tells what part is staked, so it stays with what is reserved."""
    return Held(free=coins.free, reserved=coins.reserved)


def _coins(asked: Sequence[tuple[_Question, bytes]]) -> Iterator[tuple[bytes, storage.Amounts]]:
    for question, answer in asked:
        if question.method in ("state_getStorage", "state_getStorageAt") and question.params:
            yield from _told(str(question.params[0]), _result(answer, str | None))
        elif question.method == "state_queryStorageAt":
            for change in _result(answer, list[_Changes]) or ():
                for key, value in change.changes:
                    yield from _told(key, value)


def _told(key: str, value: str | None) -> Iterator[tuple[bytes, storage.Amounts]]:
    account = storage.account_in(key)
    if account is not None:
        data = plain_bytes(value)
        yield account, storage.Amounts(0, 0, 0) if data is None else storage.amounts(data)


def _chain(asked: Sequence[tuple[_Question, bytes]]) -> SubstrateChain | None:
    """By what the node calls itself, by its first block, else by prefix and ticker, an asset hub before its relay chain."""
    chains = substrate_chains().values()
    for question, answer in asked:
        if question.method == "system_chain":
            name = _result(answer, str)
            return next((chain for chain in chains if name in chain.calls_itself), None)
        if question.method == "chain_getBlockHash" and question.params in ([0], ["0x0"]):
            genesis = _result(answer, str) or ""
            return next((chain for chain in chains if genesis.startswith(f"0x{chain.genesis}")), None)
    for question, answer in asked:
        if question.method == "system_properties" and (said := _result(answer, _Properties)) is not None:
            found = (chain for chain in chains if (chain.prefix, chain.ticker) == (said.ss58_format, said.token_symbol))
            return next(found, None)
    return None


def _question(take: Recorded) -> _Question:
    try:
        return msgspec.convert(take.question, _Question) if isinstance(take.question, dict) else _Question()
    except msgspec.ValidationError:
        return _Question()


def _result(answer: bytes, kind: Any) -> Any:
    """The result as `kind`; None for a refused question or another shape. Raises: VenueBadResponse."""
    try:
        return msgspec.json.decode(reply_of(answer).result, type=kind)
    except msgspec.DecodeError:
        return None
