"""The one way out: every request to a venue, chain or price source passes here."""

from collections.abc import Mapping

import aiohttp
from msgspec import Struct

from omnifolio.model.clock import Clock, EpochMs
from omnifolio.model.errors import ResponseTooLarge, VenueUnavailable
from omnifolio.transport.timing import Timing

RESPONSE_BYTES_MAX = 64 * 1024 * 1024
TIMEOUT_S = 30.0


class Answer(Struct, frozen=True, kw_only=True):
    """A raw HTTP answer: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: EpochMs


class Egress:
    """The process's door to the network."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self.timing = Timing()
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        *,
        venue: str,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        key_label: str = "",
        cost: int = 1,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Sends one request and gives its answer, whatever the status.

        `cost` is the request's weight at the venue, `key_label` the key's pool. Raises: VenueUnavailable, ResponseTooLarge.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False, timeout=aiohttp.ClientTimeout(timeout_s)
            ) as response:
                raw = await response.content.read(RESPONSE_BYTES_MAX + 1)
                if len(raw) > RESPONSE_BYTES_MAX:
                    raise ResponseTooLarge
                return Answer(
                    status=response.status,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=raw,
                    received_at=self._clock.now(),
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VenueUnavailable(f"{venue} did not answer ({type(error).__name__})") from None

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()
