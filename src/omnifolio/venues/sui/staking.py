"""What a transaction's events say of coins that an address staked or took back.

Source: `validator.move` of Sui's system package (StakingRequestEvent, UnstakingRequestEvent), seen 2026-11.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from omnifolio.venues.sui.address import coin_type
from omnifolio.venues.sui.shapes import Effects

_PUT, _TAKEN = (coin_type(f"0x3::validator::{name}") for name in ("StakingRequestEvent", "UnstakingRequestEvent"))
_Units = Annotated[str, Meta(pattern="^[0-9]{1,20}$")]


class Staking(Struct, frozen=True):
    """Units that were staked, that came back, and that these had earned."""

    put: int = 0
    taken: int = 0
    earned: int = 0


class _Request(Struct, frozen=True):
    staker_address: str
    amount: _Units = "0"
    principal_amount: _Units = "0"
    reward_amount: _Units = "0"


def staking_of(effects: Effects, address: str) -> Staking:
    """What the events say of the address; an event of another form says nothing."""
    put = taken = earned = 0
    for event in effects.events.nodes if effects.events else ():
        said = event.contents
        name = coin_type(said.type.repr) if said and said.type else ""
        if said is None or name not in (_PUT, _TAKEN):
            continue
        try:
            found = msgspec.json.decode(said.json, type=_Request)
        except msgspec.DecodeError:
            continue
        if found.staker_address.lower() == address:
            put += int(found.amount) if name == _PUT else 0
            taken += int(found.principal_amount) if name == _TAKEN else 0
            earned += int(found.reward_amount) if name == _TAKEN else 0
    return Staking(put, taken, earned)
