"""The gap scan: which scripts of a wallet were ever used, round by round, until each branch ends in enough unused ones.

Pure: `Scan` says which places to look at next, and is told which of them were used. All branches are looked at in the same round,
so a wallet of 40 addresses takes two rounds. Source: BIP-44, address gap limit.
"""

from collections.abc import Iterable

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.utxo.subject import Place, Subject

GAP = 20
"""Unused scripts in a row that end a branch."""
PLACES_MAX = 100_000
"""Scripts of one wallet that are looked at; more are a mistake or a trap."""


class Scan:
    """One scan of a wallet. `ends` of an earlier scan let the first round look at everything that was known already."""

    def __init__(self, subject: Subject, *, ends: tuple[int, ...] = (), gap: int = GAP) -> None:
        self._subject = subject
        self._gap = gap
        self._looked = [0 for _ in subject.branches]
        self._wanted = [
            max(gap, ends[n] if n < len(ends) else 0) if branch.is_ranged else 1 for n, branch in enumerate(subject.branches)
        ]

    @property
    def ends(self) -> tuple[int, ...]:
        """How many scripts of each branch were looked at."""
        return tuple(self._looked)

    def next_places(self) -> list[Place]:
        """The places of the next round; empty when the scan is over. Raises: VenueBadResponse for a wallet without end."""
        found = [Place(branch, index) for branch, end in enumerate(self._wanted) for index in range(self._looked[branch], end)]
        self._looked = list(self._wanted)
        if sum(self._looked) > PLACES_MAX:
            raise VenueBadResponse(f"the server says that more than {PLACES_MAX} scripts of this wallet were used")
        return found

    def used(self, places: Iterable[Place]) -> None:
        """Notes which places of the last round were used."""
        for place in places:
            if self._subject.branches[place.branch].is_ranged:
                self._wanted[place.branch] = max(self._wanted[place.branch], place.index + 1 + self._gap)
