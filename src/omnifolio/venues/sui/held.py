"""The stream `balances/<network>`: coins of every type, and staked coins with what they earned, all at one checkpoint."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct, structs

from omnifolio.catalog.sui_chains import COIN_DECIMALS, SuiChain
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Snapshot, Wallet
from omnifolio.venues import base58
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.sui import coins
from omnifolio.venues.sui.address import coin_type
from omnifolio.venues.sui.queries import BALANCES, QUERIES
from omnifolio.venues.sui.server import Server, data_of
from omnifolio.venues.sui.shapes import Checkpoint, Held, Page
from omnifolio.venues.sui.stakes import is_cut, rewards, stakes_asked, stakes_of

PAGES_MAX = 100
"""Pages of coins that are read; what lies behind them is said to be missing."""


class Subject(Struct, frozen=True):
    """An address on a network."""

    chain: SuiChain
    address: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"


def wallets_of(subject: Subject) -> tuple[Wallet, Wallet]:
    """The wallet, and what it has staked: coins in objects of the staking pools, whose rewards are in no history."""
    name = f"{subject.chain.name} {subject.address[:6]}…{subject.address[-4:]}"
    return (
        Wallet(key=subject.wallet, name=name, address=subject.address),
        Wallet(key=f"{subject.wallet}/staked", name=f"{name} staked", address=subject.address),
    )


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    server = Server(access, url=url, stream=since.stream)
    about = {"wallet": subject.address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    pages: list[Evidence] = []
    at: int | None = None
    after: str | None = None
    for _ in range(PAGES_MAX):
        variables = {"address": subject.address, "at": at, "after": after}
        pages.append(await server.ask(BALANCES, QUERIES[BALANCES], variables, **about))
        check_network(subject.chain, pages[-1])
        at, after = _checkpoint(pages[-1]).sequence_number, _next(pages[-1])
        if since.token and at < int(since.token):
            raise VenueUnavailable("the server is behind what was read before")
        if after is None:
            break
    assert at is not None, "at least one page was read"
    staked = [item async for item in stakes_asked(server, subject.address, at=at)]
    types = [coin_type(row.coin_type.repr) for page in pages for row in _held(page).nodes if int(row.total_balance)]
    named = await coins.asked(server, types)
    batch = decode_balances(subject.chain, since.stream, [*pages, *staked, *named])
    yield structs.replace(batch, cursor=Cursor(since.stream, str(at)), done=True)


def decode_balances(chain: SuiChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    tokens = coins.told(chain, evidence)
    pages = [item for item in evidence if item.params["read"] == BALANCES]
    rows = {coin_type(row.coin_type.repr): int(row.total_balance) for page in pages for row in _held(page).nodes}
    held = {name: units for name, units in rows.items() if units}
    spot = [
        Balance(tokens[name].id, from_units(units, tokens[name].decimals or 0)) for name, units in held.items() if name in tokens
    ]
    stakes = stakes_of(evidence)
    units, unknown = rewards(stakes, evidence, epoch=_epoch(evidence[0]))
    total = sum(stake.units for stake in stakes) + units
    staked = (Balance(chain.native.id, from_units(total, COIN_DECIMALS)),) if total else ()
    wallet, stake_wallet = wallets_of(subject)
    gaps = _gaps(stream, evidence, has_stakes=bool(stakes), unpriced=unknown, untold=coins.untold(held, tokens))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=(wallet, stake_wallet),
        snapshots=(
            Snapshot(wallet=wallet.key, product="spot", at=at, balances=tuple(spot), evidence=0),
            Snapshot(wallet=stake_wallet.key, product="staked", at=at, balances=staked, evidence=0),
        ),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def _gaps(stream: str, evidence: Sequence[Evidence], *, has_stakes: bool, unpriced: int, untold: int) -> list[Gap]:
    said = {"objects_unread": "collectibles and other objects: only coins and staked coins are read"}
    if has_stakes:
        said["rewards_not_listed"] = "what stakes earn: their worth alone tells it"
    if unpriced:
        said["rewards_unknown"] = f"what {unpriced} stakes have earned: the server does not tell the rates of their pools"
    if is_cut(evidence):
        said["stakes_unread"] = "more staked objects than are read"
    if untold:
        said["decimals_unknown"] = f"amounts of {untold} types of coins, which say nothing of themselves"
    pages = [item for item in evidence if item.params["read"] == BALANCES]
    if _next(pages[-1]) is not None:
        said["tokens_unread"] = f"coins behind the first {PAGES_MAX} pages"
    if "unwanted" in evidence[0].params:
        said["history_not_wanted"] = "only balances were asked for, so what led to them is not read"
    return [Gap(stream=stream, code=code, text=text) for code, text in said.items()]


def check_network(chain: SuiChain, item: Evidence) -> None:
    """Raises: VenueBadResponse where the server is one of another network.

    Servers tell the digest of the first checkpoint, in base58; earlier ones its first four bytes.
    """
    told = data_of(item).chain_identifier or ""
    try:
        digest = base58.decode(told)[: len(chain.identifier) // 2].hex()
    except ValueError:
        digest = ""
    if chain.identifier not in (told, digest):
        raise VenueBadResponse(f"the server is not one of the network {chain.name}")


def _checkpoint(item: Evidence) -> Checkpoint:
    found = data_of(item).checkpoint
    if found is None:
        raise VenueBadResponse("the server does not tell a checkpoint")
    return found


def _epoch(item: Evidence) -> int:
    epoch = _checkpoint(item).epoch
    if epoch is None or epoch.epoch_id is None:
        raise VenueBadResponse("the server does not tell the epoch of a checkpoint")
    return epoch.epoch_id


def _held(item: Evidence) -> Page[Held]:
    scope = _checkpoint(item).query
    if scope is None or scope.address is None or scope.address.balances is None:
        raise VenueBadResponse("the server does not tell what an address holds at a checkpoint")
    return scope.address.balances


def _next(item: Evidence) -> str | None:
    info = _held(item).page_info
    return info.end_cursor if info.has_next_page else None
