"""Do balances and history say the same, and if not, where does history first go wrong? Rules over plain values, without a store.

One wallet and one token at a time, over all products of the wallet, because what moves between them cancels out.

1. *Difference.* What was last seen, minus the sum of all movements.
2. *Agreement.* At each look, the amount seen is compared with the sum of the movements up to then. Venues date rows otherwise
   than they book them, so a movement within `SLACK_MS` of the look may count or not; one such choice that agrees is enough.
3. *Divergence.* Looks that agree on one difference form a stretch. Where no difference fits the next look any more, what is
   missing (or too much) lies between the last look of the stretch and that next one: this is a suspect range. Before the first
   look there is nothing to agree with, so such a range has no start.
4. *Below zero.* Nobody holds less than nothing, debts aside. Where the calculated balance before a suspect range goes on below
   zero, something is missing up to there; where the balance that follows from the end of the range is below zero, something is
   missing after that. That narrows where, never how much.
5. *Declared holes.* Where a stream states that it was not read in a part of the range, that part is the range, and the difference
   is explained. Else the difference is open, and the streams that have moved this token here are named; where none has, all.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct, structs

from omnifolio.ledger.guard import EXPLAINING_SLACK_MS
from omnifolio.ledger.traces import Movement, Seen
from omnifolio.model.amounts import EXACT, ZERO, total
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.views.coverage import Missing

SLACK_MS = EXPLAINING_SLACK_MS
"""How far the date of a row may be from the moment at which it shows in a balance."""
TOGETHER_MS = 5 * MINUTE_MS
"""Looks at the products of one wallet that are this close belong to one look at the wallet."""
CHOICES_MAX = 8
"""So many movements around a look are taken in every combination; of more, the first ones are taken to be in."""

State = Literal["proved", "explained", "open"]
"""`proved` is equal with a complete history, `explained` equal without one or different for a stated reason, `open` all else."""


class Sighting(Struct, frozen=True):
    """What a wallet held of a token at an instant, over all its products."""

    at: EpochMs
    amount: Decimal


class Watched(Struct, frozen=True, kw_only=True):
    """When a product of a wallet was looked at, in order, and for each look the last one that found everything unchanged."""

    times: Sequence[EpochMs]
    until: Sequence[EpochMs]


class Break(Struct, frozen=True, kw_only=True):
    """A place where the difference changes by `amount`: after the look at `after` (None: before any look), up to `until`.

    `missing_before` and `missing_after` are what balances below zero prove: something is missing up to, or after, that instant.
    """

    after: EpochMs | None
    until: EpochMs
    amount: Decimal
    missing_before: EpochMs | None = None
    missing_after: EpochMs | None = None


class Suspect(Struct, frozen=True, kw_only=True):
    """A range in which history lacks `amount` (or has too much, if it is negative), and the streams that it concerns.

    `holes` are the stretches of these streams that are declared missing in the range; without any, nothing explains the amount.
    """

    start: EpochMs | None
    end: EpochMs
    amount: Decimal
    missing_before: EpochMs | None
    missing_after: EpochMs | None
    streams: Sequence[str]
    holes: Sequence[Missing]


class Reason(Struct, frozen=True):
    """Why a balance is in its state."""

    code: str
    text: str


class Verdict(Struct, frozen=True, kw_only=True):
    """The state of one token in one wallet. `diverged_at` is the first look that history does not lead to."""

    state: State
    reasons: Sequence[Reason] = ()
    diverged_at: EpochMs | None = None
    suspects: Sequence[Suspect] = ()


class Case(Struct, frozen=True, kw_only=True):
    """Everything that is known of one token in one wallet. `sightings` and `movements` are in the order of time.

    `seen_until` is when the product that was looked at least recently was seen last. `lacking` are the stretches that streams
    declare missing, `tellers` the streams that have moved this token here.
    """

    difference: Decimal
    sightings: Sequence[Sighting]
    movements: Sequence[Movement]
    seen_until: EpochMs
    is_doubted: bool
    may_owe: bool
    lacking: Sequence[Missing]
    tellers: Sequence[str]


def agreed(until: EpochMs, lacking: Iterable[Missing]) -> Verdict:
    """The verdict where nothing differs: proved when nothing is missing of the time up to `until`."""
    named = sorted({hole.stream for hole in lacking if _touches(hole, None, until)})
    if not named:
        return Verdict(state="proved")
    return _explained("incomplete", f"equal, but the history is not complete: {', '.join(named)}")


def differing(case: Case) -> Verdict:
    """The verdict where balance and history differ."""
    if case.is_doubted:
        return _explained("doubted", "the last look did not show this token, which is not believed yet")
    if (settled := _unsettled(case)) is not None:
        return settled
    breaks = divergences(case.sightings, case.movements)
    if not breaks:
        return Verdict(state="open", reasons=[Reason("open", "nothing explains the difference")])
    suspects = []
    before = ZERO
    for found in breaks:
        suspects.append(_suspect(found if case.may_owe else _bounded(found, case.movements, before), case))
        before = EXACT.add(before, found.amount)
    return Verdict(
        state="explained" if all(suspect.holes for suspect in suspects) else "open",
        reasons=list(dict.fromkeys(map(_reason, suspects))),
        diverged_at=breaks[0].until,
        suspects=suspects,
    )


def watched(seen: Sequence[Seen], looks: Iterable[EpochMs]) -> Watched:
    """When a product was looked at, by the first and last looks at the whole and all that was `seen` of it."""
    firsts, lasts = {row.first for row in seen}, {row.last for row in seen}
    times = sorted({*looks, *firsts, *lasts})
    until = list(times)
    for place in range(len(times) - 2, -1, -1):
        if times[place + 1] not in firsts and times[place] not in lasts:
            until[place] = until[place + 1]
    return Watched(times=times, until=until)


def sightings(products: Mapping[str, Watched], rows: Sequence[Seen]) -> list[Sighting]:
    """What a wallet held of a token at every look at all of its products; `rows` are what was seen of the token.

    A look at one product counts where every other one was looked at within five minutes, or was unchanged across it.
    """
    of_product = {name: [row for row in rows if row.product == name] for name in products}
    going = {name: _going(of_product[name]) for name in products}
    found: list[Sighting] = []
    for at in sorted({at for name, product in products.items() for at in (*product.times, *going[name])}):
        amounts = [_amount(at, product, going[name], of_product[name]) for name, product in products.items()]
        known = [amount for amount in amounts if amount is not None]
        if len(known) == len(amounts):
            found.append(Sighting(at, total(known)))
    return found


def divergences(seen: Sequence[Sighting], moved: Sequence[Movement]) -> list[Break]:
    """Where the difference between what was seen and what is calculated changes (rules 2 and 3)."""
    times, sums = [movement.at for movement in moved], _running(movement.amount for movement in moved)
    found: list[Break] = []
    fitting, last, before = {ZERO}, ZERO, None
    start: Sighting | None = None
    after: EpochMs | None = None
    for look in (*seen, None):
        possible = (
            set() if look is None else {EXACT.subtract(look.amount, shown) for shown in _shown(moved, times, sums, look.at)}
        )
        if fitting & possible:
            fitting &= possible
        else:
            if start is not None:
                now = _likeliest(fitting, EXACT.subtract(start.amount, sums[bisect_right(times, start.at)]))
                if now != last:
                    found.append(Break(after=after, until=start.at, amount=EXACT.subtract(now, last)))
                last = now
            fitting, start, after = possible, look, before
        before = None if look is None else look.at
    return found


def below_zero(moved: Sequence[Movement], start: Decimal, after: EpochMs | None, until: EpochMs) -> list[EpochMs]:
    """The dates after one instant and up to another at which `start` and all movements so far are below zero, even with all that
    came in and is dated a little later."""
    times, sums = [movement.at for movement in moved], _running(movement.amount for movement in moved)
    came = _running(max(movement.amount, ZERO) for movement in moved)
    found: list[EpochMs] = []
    for place in range(0 if after is None else bisect_right(times, after), bisect_right(times, until)):
        known, late = bisect_right(times, times[place]), bisect_right(times, times[place] + 2 * SLACK_MS)
        if EXACT.subtract(total((start, sums[known], came[late])), came[known]) < ZERO:
            found.append(times[place])
    return found


def _bounded(found: Break, moved: Sequence[Movement], before: Decimal) -> Break:
    """The break with what balances below zero prove (rule 4); `before` is the difference up to it."""
    low = below_zero(moved, before, found.after, found.until)
    high = below_zero(moved, EXACT.add(before, found.amount), found.after, found.until)
    return structs.replace(found, missing_before=low[0] if low else None, missing_after=high[-1] if high else None)


def _suspect(found: Break, case: Case) -> Suspect:
    """The break as a range with the streams that it concerns (rule 5)."""
    holes = [hole for hole in case.lacking if _touches(hole, found.after, found.until)]
    before, after = found.missing_before, found.missing_after
    if (before is not None and not any(hole.start is None or hole.start <= before for hole in holes)) or (
        after is not None and not any(hole.end is None or hole.end > after for hole in holes)
    ):
        holes = []
    start, end = found.after, found.until
    starts = [hole.start for hole in holes if hole.start is not None]
    ends = [hole.end for hole in holes if hole.end is not None]
    if holes and len(starts) == len(holes):
        start = max(min(starts), min(starts) if start is None else start)
    if holes and len(ends) == len(holes):
        end = min(end, max(ends))
    return Suspect(
        start=start,
        end=end,
        amount=found.amount,
        missing_before=before,
        missing_after=after,
        streams=sorted({hole.stream for hole in holes}) or case.tellers,
        holes=holes,
    )


def _reason(suspect: Suspect) -> Reason:
    streams = ", ".join(suspect.streams)
    if not suspect.holes:
        return Reason("open", f"history does not lead to what was seen; rows may be missing in {streams or 'any stream'}")
    return Reason(suspect.holes[0].why, f"{streams}: {suspect.holes[0].text}")


def _explained(code: str, text: str) -> Verdict:
    return Verdict(state="explained", reasons=[Reason(code, text)])


def _unsettled(case: Case) -> Verdict | None:
    """Whether movements that the last look may not have shown make up the difference: later ones, pending ones, or both."""
    settled = [movement for movement in case.movements if not movement.is_pending]
    waiting = [movement.amount for movement in case.movements if movement.is_pending]
    came, went = total(amount for amount in waiting if amount > ZERO), total(amount for amount in waiting if amount < ZERO)
    sums = _running(movement.amount for movement in settled)
    shown = _shown(settled, [movement.at for movement in settled], sums, case.seen_until)
    reported = total((case.difference, sums[-1], came, went))
    if EXACT.subtract(reported, EXACT.add(came, went)) in shown:
        return _explained("later", "history is newer than the last look")
    if any(EXACT.subtract(reported, counted) in shown for counted in (ZERO, came, went)):
        return _explained("pending", "what is pending is not in the balance, or not in it any more")
    return None


def _running(amounts: Iterable[Decimal]) -> list[Decimal]:
    """The sums of the first 0, 1, 2 … amounts."""
    sums = [ZERO]
    for amount in amounts:
        sums.append(EXACT.add(sums[-1], amount))
    return sums


def _shown(moved: Sequence[Movement], times: Sequence[EpochMs], sums: Sequence[Decimal], at: EpochMs) -> set[Decimal]:
    """What a look at an instant may show: all movements well before it, none well after it, any of those around it."""
    low, high = bisect_left(times, at - SLACK_MS), bisect_right(times, at + SLACK_MS)
    if high - low > CHOICES_MAX:
        return set(sums[low : high + 1])
    found = {sums[low]}
    for movement in moved[low:high]:
        found |= {EXACT.add(shown, movement.amount) for shown in found}
    return found


def _likeliest(differences: Iterable[Decimal], plain: Decimal) -> Decimal:
    """None if that is possible, else the one that is nearest to taking every date at its word."""
    return min(differences, key=lambda amount: (bool(amount), EXACT.abs(EXACT.subtract(amount, plain)), amount))


def _touches(hole: Missing, after: EpochMs | None, until: EpochMs) -> bool:
    return (hole.start is None or hole.start <= until) and (hole.end is None or after is None or hole.end > after)


def _going(rows: Sequence[Seen]) -> list[EpochMs]:
    """When the ledger noted that a token had gone from a product; what took its place at once is seen by itself."""
    return [
        row.gone_at
        for row in rows
        if row.gone_at is not None
        and row.gone_at > row.last
        and not any(row.last < other.first <= row.gone_at + TOGETHER_MS for other in rows)
    ]


def _amount(at: EpochMs, product: Watched, going: Sequence[EpochMs], rows: Sequence[Seen]) -> Decimal | None:
    """What a product held of a token at an instant, by a look at it or around it; None when it was not looked at."""
    if at in going:
        return ZERO
    times, place = product.times, bisect_right(product.times, at)
    if place and at <= product.until[place - 1]:
        look = times[place - 1]
    else:
        near = [time for time in times[max(0, place - 1) : place + 1] if abs(time - at) <= TOGETHER_MS]
        if not near:
            return None
        look = near[-1]
    return _held(look, rows)


def _held(look: EpochMs, rows: Sequence[Seen]) -> Decimal | None:
    """What a look at a product showed of a token; None where it may have shown a change that is not believed yet."""
    row = next((row for row in reversed(rows) if row.first <= look), None)
    if row is None:
        return ZERO
    if row.is_open or look <= row.last:
        return row.amount
    return None if row.gone_at is None or look < row.gone_at else ZERO
