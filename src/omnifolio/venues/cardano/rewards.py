"""The stream `rewards/<network>`: what a stake address earned, epoch by epoch, from when it could be withdrawn."""

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from omnifolio.catalog.cardano_chains import ADA_DECIMALS, CardanoChain
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Interval, Leg
from omnifolio.venues.answers import shaped
from omnifolio.venues.cardano.balances import TIP, tip_of
from omnifolio.venues.cardano.koios import ROWS, Server
from omnifolio.venues.cardano.shapes import Reward, units
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted

REWARDS = "rewards"
OVERLAP = 2
"""Epochs that are read again: rewards are computed and corrected at their ends."""


async def rewards(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """Pages from the bookmark's epoch on, oldest first. Raises: VenueError and its kin."""
    server = Server(access, url=url, stream=since.stream)
    wanted = depth_of(access.fields).since
    tip = await server.ask(TIP, "tip")
    now, begin = tip_of(tip).epoch_no, int(since.token or 0)
    about = {"wallet": subject.address, "wanted": "" if wanted is None else str(wanted)}
    count = 0
    while True:
        query = {
            "and": f"(spendable_epoch.gte.{begin},spendable_epoch.lte.{now})",
            "order": "spendable_epoch.asc,earned_epoch.asc,type.asc,pool_id_bech32.asc",
            "limit": str(ROWS),
            "offset": str(count),
        }
        body = {"_stake_addresses": [subject.address]}
        listing = await server.ask(REWARDS, "account_reward_history", query=query, body=body, **about)
        found = len(shaped(listing.body, tuple[Reward, ...]))
        count += found
        if found < ROWS:
            last = structs.replace(listing, params={**listing.params, "end": "yes"})
            batch = decode_rewards(subject.chain, since.stream, [last])
            yield structs.replace(batch, cursor=Cursor(since.stream, str(max(now - OVERLAP, 0))), done=True)
            return
        yield structs.replace(decode_rewards(subject.chain, since.stream, [listing]), cursor=since)


def decode_rewards(chain: CardanoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject, wanted = Subject(chain, params["wallet"]), int(params["wanted"] or 0)
    found = [_claim(subject, row) for row in shaped(evidence[0].body, tuple[Reward, ...]) if units(row.amount)]
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native,),
        wallets=subject.wallets(),
        claims=tuple({claim.ref: claim for claim in found if claim.at >= wanted}.values()),
        covered=(Interval(EpochMs(wanted), at),) if "end" in params else (),
        gaps=not_wanted(stream, params["wanted"]),
        evidence=tuple(evidence),
    )


def _claim(subject: Subject, row: Reward) -> Claim:
    """One reward. Its name says all that tells it from others: one of each type and pool is paid in an epoch."""
    chain = subject.chain
    name = f"{subject.address}:{row.spendable_epoch}:{row.earned_epoch}:{row.type}:{row.pool_id_bech32 or ''}"
    at = chain.began(row.spendable_epoch)
    leg = Leg(
        "reward", subject.rewards, chain.native.id, from_units(units(row.amount), ADA_DECIMALS), "principal", row.pool_id_bech32
    )
    return Claim(
        book="rewards",
        ref=name,
        refs=(f"reward:{chain.caip2}:{name}",),
        name=f"epoch {row.earned_epoch}",
        at=at,
        kind="refund" if "refund" in row.type else "staking_reward",
        label=row.type,
        legs=(leg,),
        confirmed_at=at,
        evidence=0,
    )
