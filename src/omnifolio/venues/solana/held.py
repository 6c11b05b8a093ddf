"""What a wallet holds, out of its accounts: coins with the rent of its token accounts, tokens by mint, stake accounts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from omnifolio.catalog.solana_chains import SOL_DECIMALS
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Balance, Gap, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.solana.layouts import Mint, TokenHeld
from omnifolio.venues.solana.movements import Subject
from omnifolio.venues.solana.names import Named
from omnifolio.venues.solana.tokens import facts_of


def wallets_of(subject: Subject) -> tuple[Wallet, Wallet]:
    """The wallet, and what it has staked: coins in stake accounts, whose rewards are in no history."""
    chain, address = subject.chain, subject.address
    name = f"{chain.name} {address[:4]}…{address[-4:]}"
    return (
        Wallet(key=subject.wallet, name=name, address=address),
        Wallet(key=staked_key(subject), name=f"{name} staked", address=address),
    )


def staked_key(subject: Subject) -> str:
    """The key of the wallet of stake accounts."""
    return f"{subject.wallet}/staked"


def tokens_of(
    subject: Subject, held: Sequence[TokenHeld], mints: Mapping[str, Mint], names: Mapping[str, Named]
) -> dict[str, TokenFacts]:
    """The tokens that are held, by mint; none of a mint that nobody told."""
    wanted = {row.mint for row in held if row.units and row.mint in mints}
    return {mint: facts_of(subject.chain, mint, mints[mint], names.get(mint)) for mint in sorted(wanted)}


def untold(stream: str, held: Sequence[TokenHeld], mints: Mapping[str, Mint]) -> tuple[Gap, ...]:
    """The gap for tokens whose decimals nobody told, so that their amounts are not known."""
    count = len({row.mint for row in held if row.units and row.mint not in mints})
    text = f"amounts of {count} tokens are not known: their mints were not told"
    return (Gap(stream=stream, code="mints_unknown", text=text),) if count else ()


def spot(
    subject: Subject, held: Sequence[TokenHeld], mints: Mapping[str, Mint], *, lamports: int | None, at: EpochMs
) -> Snapshot:
    """The wallet's balances; `lamports` of its own account, None where nobody told."""
    units: Counter[str] = Counter()
    for row in held:
        units[row.mint] += row.units
    balances = [
        Balance(facts.id, from_units(units[mint], mints[mint].decimals))
        for mint, facts in tokens_of(subject, held, mints, {}).items()
    ]
    if lamports is not None:
        balances.insert(0, Balance(subject.chain.native.id, _coins(lamports + sum(row.lamports for row in held))))
    return Snapshot(wallet=subject.wallet, product="spot", at=at, balances=tuple(balances), evidence=0)


def staked(subject: Subject, lamports: int, *, at: EpochMs) -> Snapshot:
    """What lies in the wallet's stake accounts: delegated, coming or going, and their rent."""
    held = (Balance(subject.chain.native.id, _coins(lamports)),) if lamports else ()
    return Snapshot(wallet=staked_key(subject), product="staked", at=at, balances=held, evidence=0)


def _coins(lamports: int) -> Decimal:
    return from_units(lamports, SOL_DECIMALS)
