"""The gap of a history that is wanted from a day on only: what lies before it, as a fact."""

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Gap


def not_wanted(stream: str, since: str) -> tuple[Gap, ...]:
    """The gap before the instant `since`, which stands in a page's parameters; none where all is wanted ("")."""
    if not since:
        return ()
    text = "history before the day from which it was asked for"
    return (Gap(stream=stream, code="not_wanted", text=text, start=EpochMs(0), end=EpochMs(int(since))),)
