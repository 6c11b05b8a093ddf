"""What a transaction changed for one wallet, as one claim: balances before and after decide, whatever programs did in between.

The wallet's SOL is what its own account holds and what lies in its token accounts as rent, which comes back when they are closed:
opening one moves nothing. Lamports inside an account of wrapped SOL are that token. The fee is the wallet's where it paid it.
Plain transfers from or to others are legs of their own, so a tip is told from a swap; what is left is one leg. The legs of each
token always add up to what the wallet gained and lost.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.solana_chains import SOL_DECIMALS, SolanaChain
from omnifolio.model.amounts import FRACTION_DIGITS_MAX, from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues import base58
from omnifolio.venues.solana.layouts import STAKE, SYSTEM, WRAPPED, Mint
from omnifolio.venues.solana.shapes import Instruction, Meta, TokenBalance, Told
from omnifolio.venues.solana.tokens import facts_of

FEE = "fee"
COIN = "sol"
_TRANSFER, _TRANSFER_WITH_SEED = 2, 11
"""Instructions of the System program: its number in four bytes, then the lamports in eight."""


class Subject(Struct, frozen=True):
    """A wallet on a network. `accounts`: token accounts known to be its own, for records that name no owner."""

    chain: SolanaChain
    address: str
    accounts: frozenset[str] = frozenset()

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"


class Changes(Struct, frozen=True):
    """What changed. `flows` are plain transfers by the other's account, `parties` what every other owner gained in lamports."""

    coins: int
    fee: int
    flows: Mapping[str, int]
    parties: Mapping[str, int]
    tokens: Mapping[str, Mapping[str, int]]
    """Units by mint and owner; the wallet's own under its address."""
    decimals: Mapping[str, int]
    amounts_max: Mapping[str, int]


def claim_of(
    subject: Subject, told: Told, mints: Mapping[str, Mint], *, evidence: int | None = None
) -> tuple[Claim, tuple[TokenFacts, ...]] | None:
    """The transaction as one claim of book `chain`, and the tokens that it names; None when it changed nothing of the wallet.

    Raises: VenueBadResponse.
    """
    meta = told.meta
    if meta is None or told.block_time is None:
        raise VenueBadResponse("the node does not say what a transaction changed, or when")
    changes = _changes(subject, told, meta)
    tokens = {} if meta.is_failed else _tokens(subject, changes, mints)
    legs = () if meta.is_failed else (*_coin_legs(subject, changes), *_token_legs(subject, changes, tokens))
    kind = _kind(subject, told, legs)
    if changes.fee:
        legs = (*legs, Leg(FEE, subject.wallet, subject.chain.native.id, from_units(-changes.fee, SOL_DECIMALS), "fee"))
    if not legs:
        return None
    name = told.transaction.signatures[0]
    event = f"{subject.chain.caip2}:{name}"
    at = EpochMs(told.block_time * 1000)
    claim = Claim(
        book="chain",
        ref=name,
        refs=(f"tx:{event}",),
        name=name,
        at=at,
        kind=kind,
        label=_label(subject.chain, told, legs),
        legs=legs,
        status="failed" if meta.is_failed else "confirmed",
        confirmed_at=at,
        event=event,
        height=told.slot,
        evidence=evidence,
    )
    return claim, (subject.chain.native, *tokens.values())


def _changes(subject: Subject, told: Told, meta: Meta) -> Changes:
    """Own and foreign accounts told apart, before and after: an account may change hands."""
    keys, own = told.accounts, subject.address
    before, after = _by_place(meta.pre_token_balances), _by_place(meta.post_token_balances)
    tokens: dict[str, Counter[str]] = {}
    coins = wrapped = 0
    parties: Counter[str] = Counter()
    for place, key in enumerate(keys):
        held, holds = before.get(place), after.get(place)
        was, now = (_owner(subject, key, row or other) for row, other in ((held, holds), (holds, held)))
        for owner, row, lamports, sign in ((was, held, meta.pre_balances[place], -1), (now, holds, meta.post_balances[place], 1)):
            if row is not None:
                tokens.setdefault(row.mint, Counter())[owner] += sign * row.units
                wrapped += sign * row.units if row.mint == WRAPPED and owner == own else 0
            if owner == own:
                coins += sign * lamports
            else:
                parties[owner] += sign * lamports
    payer, rows = keys[0], (*before.values(), *after.values())
    fee = meta.fee if payer == own else 0
    if payer != own:
        parties[payer] += meta.fee
    gained = {key: meta.post_balances[n] - meta.pre_balances[n] + (meta.fee if n == 0 else 0) for n, key in enumerate(keys)}
    ours = {own} | {keys[row.account_index] for row in rows if _owner(subject, keys[row.account_index], row) == own}
    amounts = {mint: max(row.units for row in rows if row.mint == mint) for mint in tokens}
    return Changes(
        coins=coins - wrapped + fee,
        fee=fee,
        flows=_flows(told, ours, gained),
        parties=parties,
        tokens=tokens,
        decimals={row.mint: row.ui_token_amount.decimals for row in rows},
        amounts_max=amounts,
    )


def _by_place(rows: Sequence[TokenBalance] | None) -> dict[int, TokenBalance]:
    return {row.account_index: row for row in rows or ()}


def _owner(subject: Subject, key: str, row: TokenBalance | None) -> str:
    if row is None:
        return key
    return row.owner or (subject.address if key in subject.accounts else key)


def _flows(told: Told, ours: Collection[str], gained: Mapping[str, int]) -> dict[str, int]:
    """Lamports by plain transfers between the wallet and each other account, as the wallet sees them.

    One that the other account did not keep or did not have went on or came through: it tells nothing.
    """
    keys = told.accounts
    found: Counter[str] = Counter()
    for one in told.instructions:
        source, target, lamports = _transfer(keys, one)
        if (source in ours) != (target in ours):
            found[target if source in ours else source] += -lamports if source in ours else lamports
    return {key: units for key, units in found.items() if units and -gained[key] * units >= units * units}


def _transfer(keys: Sequence[str], one: Instruction) -> tuple[str, str, int]:
    """Source, target and lamports of a plain transfer; ("", "", 0) for everything else."""
    if keys[one.program_id_index] == SYSTEM and len(one.accounts) >= 2:
        data = _data(one)
        number = int.from_bytes(data[:4], "little")
        if len(data) >= 12 and number in (_TRANSFER, _TRANSFER_WITH_SEED):
            target = one.accounts[1] if number == _TRANSFER else one.accounts[-1]
            return keys[one.accounts[0]], keys[target], int.from_bytes(data[4:12], "little")
    return "", "", 0


def _data(one: Instruction) -> bytes:
    try:
        return base58.decode(one.data)
    except ValueError:
        raise VenueBadResponse("an instruction's data is not base58") from None


def _coin_legs(subject: Subject, changes: Changes) -> Iterator[Leg]:
    chain, left = subject.chain, dict(changes.parties)

    def leg(key: str, units: int, who: str | None) -> Leg:
        return Leg(key, subject.wallet, chain.native.id, from_units(units, SOL_DECIMALS), "principal", who)

    for key, units in changes.flows.items():
        left[key] = left.get(key, 0) + units
        yield leg(f"{COIN}:{key}", units, key)
    rest = changes.coins - sum(changes.flows.values())
    if rest:
        yield leg(COIN, rest, _other(left, rest))


def _token_legs(subject: Subject, changes: Changes, tokens: Mapping[str, TokenFacts]) -> Iterator[Leg]:
    for mint, facts in tokens.items():
        owners = changes.tokens[mint]
        units = owners[subject.address]
        others = {owner: gained for owner, gained in owners.items() if owner != subject.address}
        amount = from_units(units, changes.decimals[mint])
        yield Leg(f"token:{mint}", subject.wallet, facts.id, amount, "principal", _other(others, units))


def _tokens(subject: Subject, changes: Changes, mints: Mapping[str, Mint]) -> dict[str, TokenFacts]:
    """The tokens of which the wallet has more or less, by mint.

    Of a mint that nobody told it is a collectible where whole ones alone are told, and never more than one in an account. A token
    with more decimals than can be held gives no leg.
    """
    found = {}
    for mint, owners in changes.tokens.items():
        if owners.get(subject.address) and changes.decimals[mint] <= FRACTION_DIGITS_MAX:
            guess = Mint(changes.decimals[mint], changes.amounts_max[mint])
            found[mint] = facts_of(subject.chain, mint, mints.get(mint, guess))
    return found


def _other(gained: Mapping[str, int], units: int) -> str | None:
    """Who gave or got what the wallet did: the one who lost or gained as much, else the only one on the other side."""
    exact = [who for who, theirs in gained.items() if theirs == -units]
    opposite = [who for who, theirs in gained.items() if theirs * units < 0]
    return next((found[0] for found in (exact, opposite) if len(found) == 1), None)


def _kind(subject: Subject, told: Told, legs: Sequence[Leg]) -> Kind:
    """Only in, only out, one token for another, coins to or from stake accounts, or something else; a tip makes no difference."""
    native = subject.chain.native.id
    net: dict[TokenId, Decimal] = {}
    for leg in legs:
        net[leg.token] = net.get(leg.token, Decimal(0)) + leg.amount
    if len(net) == 3 and net.get(native, Decimal(0)) < 0:
        del net[native]
    received, sent = (sum(amount * sign > 0 for amount in net.values()) for sign in (1, -1))
    if not net:
        return "fee"
    is_stake = any(told.accounts[one.program_id_index] == STAKE for one in told.instructions)
    if is_stake and net.keys() == {native} and any(leg.key == COIN for leg in legs):
        return "unstaking" if received else "staking"
    if not (received and sent):
        return "deposit" if received else "withdrawal"
    return "trade" if received == sent == 1 else "other"


def _label(chain: SolanaChain, told: Told, legs: Sequence[Leg]) -> str:
    """The well-known programs that were called; that coins were wrapped or unwrapped."""
    amounts = {leg.token: leg.amount for leg in legs if leg.role == "principal"}
    if amounts.keys() == {chain.native.id, chain.token(WRAPPED, is_single=False)}:
        return "wrap" if amounts[chain.native.id] < 0 else "unwrap"
    keys = told.accounts
    names = [chain.programs.get(keys[one.program_id_index]) for one in told.transaction.message.instructions]
    return ", ".join(dict.fromkeys(filter(None, names)))
