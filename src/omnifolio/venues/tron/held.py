"""What an address holds, out of what was read of it: snapshots, tokens, and the gaps that are left."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.tron_chains import TRX_DECIMALS, TronChain
from omnifolio.model.amounts import ZERO, canonical, from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Balance, Gap, Snapshot
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.tron.shapes import Account
from omnifolio.venues.tron.subject import Subject

TIMES_MAX = 5
"""Times of unfreezing coins that are told one by one."""


class Holding(Struct, frozen=True, kw_only=True):
    """What was read. `units` by TRC-20 contract; `reward` None where it is not told; `is_cut`: more than are asked about."""

    record: Account
    reward: int | None
    units: Mapping[str, int]
    contracts: Mapping[str, TokenFacts]
    assets: Mapping[str, TokenFacts]
    has_index: bool
    has_history: bool
    is_cut: bool

    def amounts(self) -> Iterator[tuple[TokenFacts, int]]:
        """The tokens that are held, with their units; none of one that nobody described."""
        for contract, units in self.units.items():
            if contract in self.contracts:
                yield self.contracts[contract], units
        for pair in self.record.asset_v2:
            if pair.value and pair.key in self.assets:
                yield self.assets[pair.key], pair.value

    @property
    def nameless(self) -> int:
        """The number of tokens whose amounts are not known, because nobody states their decimals."""
        numbers = [pair.key for pair in self.record.asset_v2 if pair.value]
        return sum(name not in self.contracts for name in self.units) + sum(name not in self.assets for name in numbers)


def tokens_of(chain: TronChain, holding: Holding) -> tuple[TokenFacts, ...]:
    """What is known of the coin and of each token that is held."""
    return (chain.native, *(facts for facts, _ in holding.amounts()))


def snapshots_of(subject: Subject, holding: Holding, *, at: EpochMs) -> tuple[Snapshot, ...]:
    """All balances, by wallet."""
    coin, record = subject.chain.native.id, holding.record
    spot = [Balance(coin, _coins(record.balance))]
    spot += [Balance(facts.id, from_units(units, facts.decimals or 0)) for facts, units in holding.amounts()]
    found = [Snapshot(wallet=subject.wallet, product="spot", at=at, balances=tuple(spot), evidence=0)]
    unfreezing = sum(item.unfreeze_amount for item in record.unfrozen_v2)
    # The record tells all of these, so that there is nothing is stated, which is believed at once, and not left out.
    for wallet, sun in ((subject.staked, record.staked), (subject.unfreezing, unfreezing)):
        found.append(Snapshot(wallet=wallet, product="staked", at=at, balances=(Balance(coin, _coins(sun)),), evidence=0))
    if holding.reward is not None:
        earned = Balance(coin, _coins(holding.reward))
        found.append(Snapshot(wallet=subject.rewards, product="earn", at=at, balances=(earned,), evidence=1))
    return tuple(found)


def gaps_of(stream: str, holding: Holding) -> tuple[Gap, ...]:
    """What was not read, and what cannot be moved yet."""
    told = [("collectibles_unread", "collectibles (TRC-721, TRC-1155) are read neither here nor in the history")]
    if holding.nameless:
        told.append(("tokens_unknown", f"amounts of {holding.nameless} tokens are not known: nobody states their decimals"))
    if holding.is_cut:
        told.append(("tokens_unread", "of tokens beyond those that are asked about the index states the amounts"))
    if not holding.has_index:
        told.append(
            ("index_missing", "the server keeps no index of addresses: only well-known tokens and those seen once are read")
        )
    if holding.reward is None:
        told.append(("rewards_unread", "the server does not tell what voting has earned"))
    elif holding.reward:
        told.append(("rewards_not_listed", "rewards of votes stand in no history before they are claimed"))
    if times := sorted((item.unfreeze_expire_time, item.unfreeze_amount) for item in holding.record.unfrozen_v2):
        told.append(("unfreezing_until", f"coins that are unfreezing can be taken out {_times(times)}"))
    if not holding.has_history:
        told.append(("history_not_wanted", "only balances were asked for, so what led to them is not read"))
    return tuple(Gap(stream=stream, code=code, text=text) for code, text in told)


def _times(times: list[tuple[int, int]]) -> str:
    """Words for when how much comes free."""
    shown = [f"{canonical(_coins(sun))} from {_instant(at_ms)}" for at_ms, sun in times[:TIMES_MAX]]
    left = len(times) - TIMES_MAX
    return ", ".join(shown) + (f" and {left} times more, the last {_instant(times[-1][0])}" if left > 0 else "")


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _coins(sun: int) -> Decimal:
    return from_units(sun, TRX_DECIMALS) if sun else ZERO
