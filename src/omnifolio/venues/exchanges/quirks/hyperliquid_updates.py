"""What one ledger update of Hyperliquid moved: deposits, withdrawals, and moves between addresses, accounts, vaults and staking.

Moves between addresses name both, so it takes the owner's address to tell in from out. What goes into a vault or comes out of it
has one side: a vault's share is a position, no balance. A type that is not known is kept by its name, without amounts.
Source: hyperliquid.gitbook.io, Info endpoint, userNonFundingLedgerUpdates.
"""

from collections.abc import Callable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.telling import told
from omnifolio.venues.exchanges.times import from_ms

SPOT, PERP, DEXES, STAKING = "spot", "perp", "dexes", "staking"
USDC, HYPE = "USDC", "HYPE"

Row = Mapping[str, Any]
Told = tuple[Kind, list[Leg]]


def wallet_of(dex: str) -> str:
    """The wallet of a perpetual exchange by its name; "" is Hyperliquid's own and `spot` the spot account."""
    return {"": PERP, "spot": SPOT}.get(dex, DEXES)


def update(context: Context, owner: str, row: Row) -> Claim:
    """The claim of one update, seen from its owner. Raises: KeyError, InvalidAmount, InvalidField."""
    delta = row["delta"]
    word = str(delta["type"])
    kind, legs = _READERS[word](context, owner, delta) if word in _READERS else ("other", [])
    names = ("token", "usdc", "amount", "netWithdrawnUsd", "user", "destination", "vault", "nonce")
    ref = "/".join(str(part) for part in (row["time"], row["hash"], word, *(delta[name] for name in names if delta.get(name))))
    return told(context, ref=ref, name=row["hash"], at=from_ms(row["time"]), kind=kind, legs=legs, label=word)


def _usdc(context: Context, delta: Row, wallet: str, *, sign: int, field: str = "usdc", peer: str | None = None) -> Leg:
    amount = parse_amount(delta[field], where=field)
    return Leg("amount", wallet, context.codes.token(USDC), sign * amount, "principal", peer)


def _token(context: Context, delta: Row, wallet: str, *, sign: int, key: str = "amount", peer: str | None = None) -> Leg:
    """A token's name may bear its id behind a colon."""
    token = context.codes.token(str(delta["token"]).partition(":")[0])
    return Leg(key, wallet, token, sign * parse_amount(delta["amount"]), "principal", peer)


def _fees(context: Context, delta: Row, wallet: str) -> list[Leg]:
    """What the sender paid beside the amount: a fee in a token of its own, and one in HYPE."""
    fee_token = context.codes.token(delta.get("feeToken") or USDC)
    fee = parse_amount(delta.get("fee") or "0", where="fee")
    native = parse_amount(delta.get("nativeTokenFee") or "0", where="nativeTokenFee")
    return [
        Leg("fee", wallet, fee_token, -fee, "fee"),
        Leg("native fee", wallet, context.codes.token(HYPE), -native, "fee"),
    ]


def _ends(owner: str, delta: Row) -> tuple[bool, bool]:
    """Whether the owner sent it and whether it came to the owner. Raises: InvalidField when neither is told."""
    user, destination = str(delta["user"]).lower(), str(delta["destination"]).lower()
    if owner not in (user, destination):
        raise InvalidField("user: neither end is the address that was asked about")
    return owner == user, owner == destination


def _deposit(context: Context, owner: str, delta: Row) -> Told:
    return "deposit", [_usdc(context, delta, PERP, sign=1)]


def _withdraw(context: Context, owner: str, delta: Row) -> Told:
    return "withdrawal", [_usdc(context, delta, PERP, sign=-1), *_fees(context, delta, PERP)]


def _class_transfer(context: Context, owner: str, delta: Row) -> Told:
    source, target = (SPOT, PERP) if delta["toPerp"] else (PERP, SPOT)
    amount, token = parse_amount(delta["usdc"], where="usdc"), context.codes.token(USDC)
    return "transfer", [Leg("out", source, token, -amount), Leg("in", target, token, amount)]


def _usdc_transfer(context: Context, owner: str, delta: Row) -> Told:
    is_out, _ = _ends(owner, delta)
    if is_out:
        return "withdrawal", [_usdc(context, delta, PERP, sign=-1, peer=delta["destination"]), *_fees(context, delta, PERP)]
    return "deposit", [_usdc(context, delta, PERP, sign=1)]


def _spot_transfer(context: Context, owner: str, delta: Row) -> Told:
    is_out, _ = _ends(owner, delta)
    if is_out:
        return "withdrawal", [_token(context, delta, SPOT, sign=-1, peer=delta["destination"]), *_fees(context, delta, SPOT)]
    return "deposit", [_token(context, delta, SPOT, sign=1)]


def _send(context: Context, owner: str, delta: Row) -> Told:
    """Between any two accounts, those of one address included."""
    is_out, is_in = _ends(owner, delta)
    source, target = wallet_of(delta["sourceDex"]), wallet_of(delta["destinationDex"])
    legs: list[Leg] = []
    if is_out:
        peer = None if is_in else delta["destination"]
        legs += [_token(context, delta, source, sign=-1, key="out", peer=peer), *_fees(context, delta, source)]
    if is_in:
        legs.append(_token(context, delta, target, sign=1, key="in"))
    return "transfer" if is_out and is_in else "withdrawal" if is_out else "deposit", legs


def _vault_in(context: Context, owner: str, delta: Row) -> Told:
    return "transfer", [_usdc(context, delta, PERP, sign=-1), *_fees(context, delta, PERP)]


def _vault_out(context: Context, owner: str, delta: Row) -> Told:
    """The leader of a vault sees its depositors' withdrawals too; they move nothing of the leader's."""
    if str(delta["user"]).lower() != owner:
        return "other", []
    return "transfer", [_usdc(context, delta, PERP, sign=1, field="netWithdrawnUsd")]


def _distribution(context: Context, owner: str, delta: Row) -> Told:
    return "transfer", [_usdc(context, delta, PERP, sign=1)]


def _commission(context: Context, owner: str, delta: Row) -> Told:
    return "reward", [_usdc(context, delta, PERP, sign=1)]


def _rewards(context: Context, owner: str, delta: Row) -> Told:
    """Referral rewards: tokens come to the spot account; older rows name none, and mean USDC."""
    if delta.get("token"):
        return "referral", [_token(context, delta, SPOT, sign=1)]
    return "referral", [_usdc(context, delta, PERP, sign=1, field="amount")]


def _genesis(context: Context, owner: str, delta: Row) -> Told:
    return "airdrop", [_token(context, delta, SPOT, sign=1)]


def _gas(context: Context, owner: str, delta: Row) -> Told:
    return "fee", [_token(context, delta, SPOT, sign=-1)]


def _staking(context: Context, owner: str, delta: Row) -> Told:
    source, target = (SPOT, STAKING) if delta["isDeposit"] else (STAKING, SPOT)
    legs = [_token(context, delta, source, sign=-1, key="out"), _token(context, delta, target, sign=1, key="in")]
    return "staking" if delta["isDeposit"] else "unstaking", legs


def _liquidation(context: Context, owner: str, delta: Row) -> Told:
    """What a liquidation cost is told by its fills."""
    return "liquidation", []


_READERS: Mapping[str, Callable[[Context, str, Row], Told]] = {
    "deposit": _deposit,
    "withdraw": _withdraw,
    "accountClassTransfer": _class_transfer,
    "internalTransfer": _usdc_transfer,
    "subAccountTransfer": _usdc_transfer,
    "spotTransfer": _spot_transfer,
    "send": _send,
    "vaultCreate": _vault_in,
    "vaultDeposit": _vault_in,
    "vaultWithdraw": _vault_out,
    "vaultDistribution": _distribution,
    "vaultLeaderCommission": _commission,
    "rewardsClaim": _rewards,
    "spotGenesis": _genesis,
    "deployGasAuction": _gas,
    "accountActivationGas": _gas,
    "cStakingTransfer": _staking,
    "liquidation": _liquidation,
}
