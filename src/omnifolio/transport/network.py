"""The wire that is the network: HTTP for most, lines of JSON-RPC for servers that are spoken to so."""

from omnifolio.model.clock import Clock
from omnifolio.transport.http import Answer, Http, Request
from omnifolio.transport.lines import SCHEMES, Lines


class Network:
    """See `Wire`; which way a request goes is told by its URL."""

    def __init__(self, clock: Clock) -> None:
        self._http = Http(clock)
        self._lines = Lines(clock)

    async def send(self, request: Request) -> Answer:
        """See `Wire`."""
        return await (self._lines if request.url.scheme in SCHEMES else self._http).send(request)

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()
        await self._lines.close()
