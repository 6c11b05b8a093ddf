"""The stream `balances/<network>`: coins, token accounts of both programs, and stake accounts of one address.

The coins are asked for before and after the token accounts; when they moved in between, all is asked again. Stake accounts are
found by who may take them out; a node that does not search them costs their snapshot alone, and that is said.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from msgspec import structs

from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.solana.held import spot, staked, tokens_of, untold, wallets_of
from omnifolio.venues.solana.layouts import (
    STAKE,
    STAKE_BYTES,
    TOKEN_PROGRAMS,
    WITHDRAWER_AT,
    Mint,
    TokenHeld,
    is_staked_for,
    mint_of,
    token_account,
)
from omnifolio.venues.solana.movements import Subject
from omnifolio.venues.solana.names import Named, metadata_address, named
from omnifolio.venues.solana.rpc import FINAL, Node, reply_of
from omnifolio.venues.solana.shapes import Accounts, KeyedAccount, Lamports, Looked

MINTS_PER_CALL = 100
"""Accounts that a node tells in one answer."""
TRIES_MAX = 3
"""Tries of one snapshot while the coins move under it."""
COINS, ACCOUNTS, MINTS, NAMES, STAKES = "coins", "accounts", "mints", "names", "stakes"
_BYTES = {**FINAL, "encoding": "base64"}


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    node = Node(access, url=url, stream=since.stream)
    about = {"wallet": subject.address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    for _ in range(TRIES_MAX):
        opening = await node.ask(COINS, "getBalance", [subject.address, FINAL], **about)
        rows = await token_accounts(node, subject.address)
        if since.token and _slot(opening) < int(since.token):
            raise VenueUnavailable("the node is behind what was read before")
        held = {row.mint for row in held_of(rows).values() if row.units}
        mints = [*await mints_asked(node, held), *await _names_asked(node, held)]
        stakes = await _stakes(node, subject.address)
        closing = await node.ask(COINS, "getBalance", [subject.address, FINAL], **about)
        if _coins(opening) == _coins(closing):
            batch = decode_balances(subject.chain, since.stream, [opening, *rows, *mints, stakes])
            yield structs.replace(batch, cursor=Cursor(since.stream, str(_slot(opening))), done=True)
            return
    raise VenueUnavailable("the coins moved each time that they were read")


async def token_accounts(node: Node, address: str) -> list[Evidence]:
    """The address's token accounts, of each token program."""
    asked = [(program, [address, {"programId": program}, _BYTES]) for program in TOKEN_PROGRAMS]
    return [await node.ask(ACCOUNTS, "getTokenAccountsByOwner", params, program=program) for program, params in asked]


async def mints_asked(node: Node, names: Collection[str]) -> list[Evidence]:
    """The accounts of mints."""
    wanted = sorted(set(names))
    chunks = [wanted[start : start + MINTS_PER_CALL] for start in range(0, len(wanted), MINTS_PER_CALL)]
    return [await node.ask(MINTS, "getMultipleAccounts", [chunk, _BYTES], about=",".join(chunk)) for chunk in chunks]


async def _names_asked(node: Node, mints: Collection[str]) -> list[Evidence]:
    """The metadata accounts of mints."""
    wanted = sorted(mints)
    chunks = [wanted[start : start + MINTS_PER_CALL] for start in range(0, len(wanted), MINTS_PER_CALL)]
    return [
        await node.ask(NAMES, "getMultipleAccounts", [list(map(metadata_address, chunk)), _BYTES], about=",".join(chunk))
        for chunk in chunks
    ]


def names_of(evidence: Sequence[Evidence]) -> dict[str, Named]:
    """What tokens call themselves, by mint. Raises: VenueBadResponse and its kin."""
    pairs = [
        (mint, named(account))
        for item in evidence
        if item.params["read"] == NAMES
        for mint, account in zip(item.params["about"].split(","), reply_of(item).read(Looked).value, strict=True)
    ]
    return {mint: found for mint, found in pairs if found is not None}


def held_of(evidence: Sequence[Evidence]) -> dict[str, TokenHeld]:
    """Token accounts by address, out of the answers among the evidence. Raises: VenueBadResponse and its kin."""
    answers = [reply_of(item).read(Accounts) for item in evidence if item.params["read"] == ACCOUNTS]
    return {row.pubkey: token_account(row.account) for answer in answers for row in answer.value}


def mints_of(evidence: Sequence[Evidence]) -> dict[str, Mint]:
    """Mints by address, out of the answers among the evidence. Raises: VenueBadResponse and its kin."""
    found = {}
    for item in evidence:
        if item.params["read"] == MINTS:
            for name, account in zip(item.params["about"].split(","), reply_of(item).read(Looked).value, strict=True):
                if (mint := mint_of(account)) is not None:
                    found[name] = mint
    return found


def decode_balances(chain: SolanaChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params: Mapping[str, str] = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    held, mints = list(held_of(evidence).values()), mints_of(evidence)
    stakes = next(reply_of(item) for item in evidence if item.params["read"] == STAKES)
    snapshots = [spot(subject, held, mints, lamports=_coins(evidence[0]), at=at)]
    gaps = list(untold(stream, held, mints))
    if stakes.error is None:
        rows = [row.account for row in stakes.read(list[KeyedAccount])]
        own = sum(account.lamports for account in rows if is_staked_for(account, subject.address))
        snapshots.append(staked(subject, own, at=at))
        if own:
            text = "what stakes earn, and what went in or out of them: their balance alone tells it"
            gaps.append(Gap(stream=stream, code="rewards_not_listed", text=text))
    else:
        gaps.append(Gap(stream=stream, code="stakes_unread", text="the node does not search stake accounts"))
    if "unwanted" in params:
        text = "only balances were asked for, so what led to them is not read"
        gaps.append(Gap(stream=stream, code="history_not_wanted", text=text))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native, *tokens_of(subject, held, mints, names_of(evidence)).values()),
        wallets=wallets_of(subject),
        snapshots=tuple(snapshots),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


async def _stakes(node: Node, address: str) -> Evidence:
    filters = [{"dataSize": STAKE_BYTES}, {"memcmp": {"offset": WITHDRAWER_AT, "bytes": address}}]
    return await node.ask(STAKES, "getProgramAccounts", [STAKE, {**_BYTES, "filters": filters}])


def _coins(evidence: Evidence) -> int:
    return reply_of(evidence).read(Lamports).value


def _slot(evidence: Evidence) -> int:
    return reply_of(evidence).read(Lamports).context.slot
