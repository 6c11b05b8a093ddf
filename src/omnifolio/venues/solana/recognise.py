"""Recorded answers of a Solana node, recognised by the question that each one answers: transactions, token accounts, mints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor
from omnifolio.venues.answers import Recorded, shaped
from omnifolio.venues.solana.address import parse_address
from omnifolio.venues.solana.held import spot, staked, tokens_of, untold, wallets_of
from omnifolio.venues.solana.layouts import Mint, is_staked_for, mint_of, token_account
from omnifolio.venues.solana.movements import Subject, claim_of
from omnifolio.venues.solana.names import Named, metadata_address, named
from omnifolio.venues.solana.shapes import Accounts, KeyedAccount, Lamports, LookedAtOne, Told

T = TypeVar("T")


class _Question(Struct, frozen=True):
    method: str = ""
    params: list[Any] = []


class _Answer(Struct, frozen=True):
    result: Raw = Raw(b"null")


def recognised(chain: SolanaChain, accounts: Sequence[str], takes: Sequence[Recorded], *, observed_at: EpochMs) -> list[Batch]:
    """For each account what the recorded answers say of it. Raises: VenueBadResponse, InvalidField."""
    found = list(_told(takes, "getTransaction", Told))
    mints = {
        name: mint for name, looked in _about(takes, "getAccountInfo", LookedAtOne) if (mint := mint_of(looked.value)) is not None
    }
    return [
        _batch(Subject(chain, parse_address(account)), takes, [told for _, told in found], mints, observed_at)
        for account in accounts
    ]


def newest(takes: Sequence[Recorded]) -> EpochMs | None:
    """The latest instant that the recorded transactions state. Raises: VenueBadResponse."""
    stated = [told.block_time for _, told in _told(takes, "getTransaction", Told) if told.block_time is not None]
    return EpochMs(max(stated) * 1000) if stated else None


def _batch(subject: Subject, takes: Sequence[Recorded], found: Sequence[Told], mints: dict[str, Mint], at: EpochMs) -> Batch:
    names = dict(_names(takes, mints))
    own = [answer for address, answer in _about(takes, "getTokenAccountsByOwner", Accounts) if address == subject.address]
    held = [token_account(row.account) for answer in own for row in answer.value]
    coins = [answer.value for address, answer in _about(takes, "getBalance", Lamports) if address == subject.address]
    stakes = [
        row.account.lamports
        for _, rows in _about(takes, "getProgramAccounts", list[KeyedAccount])
        for row in rows
        if is_staked_for(row.account, subject.address)
    ]
    snapshots = [spot(subject, held, mints, lamports=coins[-1] if coins else None, at=at)] if own or coins else []
    snapshots += [staked(subject, sum(stakes), at=at)] if stakes else []
    claims = [claim for told in found if (claim := claim_of(subject, told, mints)) is not None]
    named = [facts for _, tokens in claims for facts in tokens] + [
        *tokens_of(subject, held, mints, names).values(),
        subject.chain.native,
    ]
    return Batch(
        cursor=Cursor(f"recorded/{subject.chain.id}", "read"),
        observed_at=at,
        tokens=tuple({facts.id: facts for facts in named}.values()),
        wallets=wallets_of(subject),
        snapshots=tuple(snapshots),
        claims=tuple({claim.ref: claim for claim, _ in claims}.values()),
        gaps=untold(f"recorded/{subject.chain.id}", held, mints),
        done=True,
    )


def _names(takes: Sequence[Recorded], mints: Mapping[str, Mint]) -> Iterator[tuple[str, Named]]:
    places = {metadata_address(mint): mint for mint in mints}
    for address, looked in _about(takes, "getAccountInfo", LookedAtOne):
        if address in places and (found := named(looked.value)) is not None:
            yield places[address], found


def _told(takes: Sequence[Recorded], method: str, kind: type[T]) -> Iterator[tuple[_Question, T]]:
    """The answers to questions of one method; refused and empty ones are none."""
    for take in takes:
        question = msgspec.convert(take.question, _Question) if isinstance(take.question, dict) else _Question()
        if question.method == method:
            result = shaped(take.answer, _Answer).result
            if bytes(result) != b"null":
                yield question, shaped(result, kind)


def _about(takes: Sequence[Recorded], method: str, kind: type[T]) -> Iterator[tuple[str, T]]:
    """The answers with the address that was asked about."""
    return ((str(question.params[0]), answer) for question, answer in _told(takes, method, kind) if question.params)
