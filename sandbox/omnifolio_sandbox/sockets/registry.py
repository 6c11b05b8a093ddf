"""Which venue speaks at which socket, and the news of a user's event to whoever listens."""

from omnifolio_sandbox.sockets.binance import BinanceTalk
from omnifolio_sandbox.sockets.bybit import BybitTalk
from omnifolio_sandbox.sockets.kraken import KrakenTalk
from omnifolio_sandbox.sockets.kucoin import KucoinTalk
from omnifolio_sandbox.sockets.line import Talk
from omnifolio_sandbox.sockets.okx import OkxTalk
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event


class Talks:
    """All sockets that can be opened."""

    def __init__(self, state: State) -> None:
        self.state = state
        kinds = (KrakenTalk, BinanceTalk, OkxTalk, BybitTalk, KucoinTalk)
        self.all: tuple[Talk, ...] = tuple(kind(state) for kind in kinds)

    def at(self, venue: str, path: str) -> Talk | None:
        """Who speaks there; None where nobody does."""
        return next((talk for talk in self.all if talk.venue == venue and path in talk.paths), None)

    def tell(self, venue: str, user: str, event: Event) -> int:
        """Tell an event to the user's open lines; gives how many they are."""
        lines = self.state.exchange.chosen(venue, user)
        for line in lines:
            talk = self.at(line.venue, line.path)
            assert talk is not None, "a line was opened at a socket that somebody speaks at"
            talk.happened(line, event)
        return len(lines)
