"""The stream `balances/<chain>` at an Electrum server: what all scripts of a wallet hold, as one snapshot.

What waits for a block counts as it will be: a payment that was sent is gone, one that is coming is there.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.amounts import from_units
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Snapshot
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.utxo.electrum import Held, Server, gathered, params_of
from omnifolio.venues.utxo.electrum_scan import SCAN, scanned
from omnifolio.venues.utxo.marks import BalancesMark, read_mark, write_mark
from omnifolio.venues.utxo.subject import Subject, subject_of

_UNWANTED = "only balances were asked for, so what led to them is not read"


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    mark = read_mark(since.token, BalancesMark)
    server = Server(access, url=url, stream=since.stream)
    found = await scanned(server, subject, ends=mark.ends, with_balances=True, **balances_params(access, subject))
    batch = decode_balances(subject.chain, since.stream, found.evidence)
    cursor = Cursor(since.stream, write_mark(BalancesMark(ends=found.ends)))
    yield structs.replace(batch, cursor=cursor, done=True)


def balances_params(access: Access, subject: Subject) -> dict[str, str]:
    """What a page of balances must say of the question to be decoded."""
    return {"wallet": subject.text} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})


def decode_balances(chain: UtxoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshot out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    subject = subject_of(chain.id, params_of(evidence, SCAN)["wallet"])
    replies = gathered(evidence, SCAN)
    held = [reply.read(Held) for about, reply in replies.items() if about.startswith("balance:")]
    return snapshot_of(subject, stream, evidence, units=sum(one.confirmed + one.unconfirmed for one in held))


def snapshot_of(subject: Subject, stream: str, evidence: Sequence[Evidence], *, units: int) -> Batch:
    """A wallet that holds so many units, as a page."""
    chain, at = subject.chain, received_at(evidence)
    is_unwanted = any("unwanted" in item.params for item in evidence)
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native,),
        wallets=(subject.facts(),),
        snapshots=(
            Snapshot(
                wallet=subject.wallet,
                product="spot",
                at=at,
                balances=(Balance(chain.native.id, from_units(units, chain.decimals)),),
                evidence=0,
            ),
        ),
        gaps=(Gap(stream=stream, code="history_not_wanted", text=_UNWANTED),) if is_unwanted else (),
        evidence=tuple(evidence),
    )
