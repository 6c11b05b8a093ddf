"""One picture of an account out of several answers: a wallet's product is told only when every answer that it needs is whole.

What could not be read is a gap, never an empty wallet.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import total
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Balance, Evidence, Gap, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, read_list

Place = tuple[str, Product]
"""A wallet's key and a product in it."""


class Sheet:
    """Collects amounts by place and token, and which places are told completely."""

    def __init__(self, context: Context, evidence: Sequence[Evidence]) -> None:
        self._context = context
        self._evidence = evidence
        self._amounts: dict[Place, dict[TokenId, list[Decimal]]] = {}
        self._told: dict[Place, bool] = {}
        self._gaps: list[Gap] = []
        self._rows = 0

    def add(self, place: Place, token: TokenId, amount: Decimal) -> None:
        """Adds an amount, which may be zero. Amounts of one token in one place add up."""
        if amount:
            self._amounts.setdefault(place, {}).setdefault(token, []).append(amount)

    def read(
        self, call: str, rows_of: Callable[[Evidence], list[Any]], take: Callable[[Any], None], *, tells: Sequence[Place]
    ) -> bool:
        """Hands every row of a call's answers to `take`; `call` is the end of its path. False when it is absent or not whole.

        A place in `tells` is told when all reads that name it gave True.
        """
        answers = [item for item in self._evidence if item.request.endswith(call)]
        is_whole = bool(answers)
        try:
            rows = [row for item in answers for row in rows_of(item)]
        except VenueBadResponse as error:
            self._gaps.append(Gap(stream=self._context.stream, code=error.code, text=error.message))
            rows, is_whole = [], False
        bad = read_list(self._context, rows, take)
        self._gaps += bad
        self._rows += len(rows)
        is_whole = is_whole and not bad
        for place in tells:
            self._told[place] = is_whole and self._told.get(place, True)
        return is_whole

    def page(self) -> Page:
        """The snapshots of all places that were told. Raises: VenueBadResponse when there is none because of an answer's form."""
        snapshots = [self._snapshot(place) for place, is_told in self._told.items() if is_told]
        if not snapshots and self._gaps and self._gaps[0].code == VenueBadResponse.code:
            raise VenueBadResponse(self._gaps[0].text)
        return Page(seen=Seen(rows=self._rows), snapshots=snapshots, gaps=self._gaps)

    def _snapshot(self, place: Place) -> Snapshot:
        wallet, product = place
        sums = ((token, total(amounts)) for token, amounts in sorted(self._amounts.get(place, {}).items()))
        held = tuple(Balance(token, amount) for token, amount in sums if amount)
        return Snapshot(wallet=wallet, product=product, at=received_at(self._evidence), balances=held, evidence=0)
