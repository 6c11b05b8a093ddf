"""A large page in portions, so that no commit holds the writer long enough for a person's request to feel it.

Only claims are spread: a claim that is stored twice is stored once, so a page that was cut off between two portions is simply
read again. What must not be seen without the whole page (cursor, coverage, snapshots, gaps) comes with the last portion.
"""

from collections.abc import Sequence

from msgspec import structs

from omnifolio.model.facts import Batch, Claim

CLAIMS_MAX = 500
"""Claims in one commit: about 25 ms of the one writer that SQLite has."""
EVENT_CLAIMS_MAX = 50
"""So many more are added where the next claim tells of the same event."""


def portions(page: Batch) -> Sequence[Batch]:
    """The page in commits of bearable length; the last one moves the cursor.

    A page that takes rows back is never cut: what it takes back and what it states again belong together.
    """
    if len(page.claims) <= CLAIMS_MAX or page.rewind is not None or page.pending_complete:
        return (page,)
    early = structs.replace(page, snapshots=(), positions=(), orders=(), covered=(), gaps=(), done=False)
    parts = _parts(page.claims)
    return (*(structs.replace(early, claims=part) for part in parts[:-1]), structs.replace(page, claims=parts[-1]))


def _parts(claims: Sequence[Claim]) -> list[tuple[Claim, ...]]:
    parts: list[tuple[Claim, ...]] = []
    begin = 0
    while begin < len(claims):
        end = min(begin + CLAIMS_MAX, len(claims))
        last = min(end + EVENT_CLAIMS_MAX, len(claims))
        while end < last and not set(claims[end].refs).isdisjoint(claims[end - 1].refs):
            end += 1
        parts.append(tuple(claims[begin:end]))
        begin = end
    return parts
