"""What an address holds, out of the answers about it: what it can spend, what is locked, what is staked, what it has earned.

Spendable, locked and staked coins are one wallet: what moves between them (staking, unstaking, a vesting schedule) is no gain and
no loss. Rewards that were not withdrawn are a wallet of their own, because they grow in no transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence, Product, Snapshot, Wallet
from omnifolio.venues.answers import shaped
from omnifolio.venues.cosmos.denoms import balances_of
from omnifolio.venues.cosmos.movements import Subject
from omnifolio.venues.cosmos.rest import refusal_of
from omnifolio.venues.cosmos.shapes import Balances, Coin, Delegations, Rewards, Unbondings

HELD, FREE, STAKED, LEAVING, EARNED = "held", "free", "staked", "leaving", "earned"
"""What an answer tells."""
_NOTHING = ("unable to find delegations", "unable to find unbonding")
"""How old software refuses to tell stakes of an address that has none."""


def wallets_of(subject: Subject) -> tuple[Wallet, Wallet]:
    """The wallet, and that of what was earned and not yet withdrawn."""
    name = f"{subject.chain.name} {subject.address[: len(subject.chain.prefix) + 5]}…{subject.address[-4:]}"
    return (
        Wallet(key=subject.wallet, name=name, address=subject.address),
        Wallet(key=rewards_key(subject), name=f"{name} rewards", address=subject.address),
    )


def rewards_key(subject: Subject) -> str:
    """The key of the wallet of rewards."""
    return f"{subject.wallet}/rewards"


def units_of(subject: Subject, evidence: Sequence[Evidence], read: str) -> Counter[str] | None:
    """Units by denomination that the answers of one kind tell; None where the node refused. Raises: VenueBadResponse."""
    told = [item for item in evidence if item.params["read"] == read]
    if len(told) == 1 and any(word in refusal_of(told[0]) for word in _NOTHING):
        return Counter()
    if not told or any(item.status != 200 for item in told):
        return None
    found: Counter[str] = Counter()
    for item in told:
        for denom, units in _read(subject, item.body, read):
            found[denom] += units
    return found


def snapshots_of(subject: Subject, evidence: Sequence[Evidence], at: EpochMs) -> list[Snapshot]:
    """The wallet's products, as far as they were told. Raises: VenueBadResponse."""
    held = units_of(subject, evidence, HELD) or Counter()
    free = units_of(subject, evidence, FREE)
    locked = held - free if free is not None else Counter()
    found = [_snapshot(subject, "spot", held - locked, at), _snapshot(subject, "locked", locked, at)]
    staked, leaving = units_of(subject, evidence, STAKED), units_of(subject, evidence, LEAVING)
    if staked is not None and leaving is not None:
        found.append(_snapshot(subject, "staked", staked + leaving, at))
    earned = units_of(subject, evidence, EARNED)
    if earned is not None:
        found.append(_snapshot(subject, "earn", earned, at, wallet=rewards_key(subject)))
    return found


def _snapshot(subject: Subject, product: Product, units: Counter[str], at: EpochMs, *, wallet: str = "") -> Snapshot:
    held = balances_of(subject.chain, units)
    return Snapshot(wallet=wallet or subject.wallet, product=product, at=at, balances=held, evidence=0)


def _read(subject: Subject, body: bytes, read: str) -> Iterable[tuple[str, int]]:
    if read in (HELD, FREE):
        return _plain(shaped(body, Balances).balances)
    if read == STAKED:
        return _plain(row.balance for row in shaped(body, Delegations).delegation_responses)
    if read == LEAVING:
        rows = shaped(body, Unbondings).unbonding_responses
        return [(subject.chain.coin, int(entry.balance)) for row in rows for entry in row.entries]
    return [(coin.denom, coin.units) for coin in shaped(body, Rewards).total or ()]


def _plain(coins: Iterable[Coin]) -> list[tuple[str, int]]:
    return [(coin.denom, coin.units) for coin in coins]
