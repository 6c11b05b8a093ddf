"""The one way out: every request to a venue, chain or price source passes here.

In order: is it on the venue's list, may it be sent now, send it, learn from the answer, and again if that helps.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from yarl import URL

from omnifolio.model.clock import Clock
from omnifolio.model.errors import EgressRefused, VenueUnavailable
from omnifolio.transport.courier import Courier
from omnifolio.transport.http import RESPONSE_BYTES_MAX, Answer, Question, Request, Wire
from omnifolio.transport.lines import Procedure, lines_of
from omnifolio.transport.network import Network
from omnifolio.transport.pacing import UNLIMITED, Budget, Pacer, Sleep
from omnifolio.transport.policy import Policy, Rule
from omnifolio.transport.recording import Cassette, Player, Recorder, plain_question
from omnifolio.transport.retries import ATTEMPTS_MAX, RETRIED_STATUSES, Attempts
from omnifolio.transport.timing import Timing
from omnifolio.transport.websocket import Sockets

TIMEOUT_S = 30.0
CONVERSATION_TIMEOUT_S = 120.0
"""For one exchange by lines: hundreds of questions may be in it."""
CONVERSATION = "CALL"
"""Stands where an HTTP request has its method."""

OnRefused = Callable[[str, str, str], None]
"""Called with venue, door and what was refused."""

_log = logging.getLogger("omnifolio.transport")


def log_refusal(venue: str, door: str, what: str) -> None:
    """The default listener: one line for the operator."""
    _log.warning("refuse_egress venue=%s door=%s what=%s", venue, door, what)


class Egress:
    """The process's door to the network.

    `calls` counts requests by (venue, key label), `refused` refusals by venue. `sleep`, `chance` and `wire` are ports, so that
    tests and replays need neither time nor network.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        wire: Wire | None = None,
        recorder: Recorder | None = None,
        on_refused: OnRefused = log_refusal,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._wire = wire or Network(clock)
        self._recorder = recorder
        self._on_refused = on_refused
        self._policy = Policy()
        self._pacer = Pacer(clock=clock, sleep=sleep)
        self.timing = Timing()
        self.sockets = Sockets(clock, self.refuse)
        self.courier = Courier(clock, self.refuse)
        self.calls: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[str] = Counter()

    @classmethod
    def playing(cls, cassette: Cassette, *, clock: Clock) -> "Egress":
        """An egress that answers from a recording and never touches the network."""
        return cls(clock=clock, wire=Player(cassette))

    @property
    def is_playback(self) -> bool:
        """Whether the answers come from a recording, so that credentials are neither there nor needed."""
        return isinstance(self._wire, Player)

    def allow(self, venue: str, rules: Iterable[Rule]) -> None:
        """Lets a venue's requests of these kinds pass, beside those allowed before; nothing else of it ever does."""
        self._policy.allow(venue, rules)
        is_configured = all(rule.is_configured for rule in self._policy.rules()[venue])
        if is_configured and not self._pacer.is_limited(venue):
            self._pacer.limit(venue, address=UNLIMITED, key=None)

    def limit(
        self, venue: str, *, address: Budget | None, key: Budget | None = None, used_headers: Mapping[str, int] | None = None
    ) -> None:
        """Sets how fast a venue may be asked; see `Pacer.limit`. Without it: 10 requests a second, configured URLs unlimited."""
        self._pacer.limit(venue, address=address, key=key, used_headers=used_headers)

    def hosts(self) -> tuple[str, ...]:
        """Every host that may be called, sorted."""
        sockets = {URL(rule.url).host or "" for rules in self.sockets.rules().values() for rule in rules}
        return tuple(sorted(sockets.union(self._policy.hosts())))

    def rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """Everything that may be asked, by venue."""
        return self._policy.rules()

    def refuse(self, venue: str, door: str, what: str) -> None:
        """Counts a refusal and tells the listener."""
        self.refused[venue] += 1
        self._on_refused(venue, door, what)

    async def admit(self, venue: str, *, key_label: str = "", cost: int = 1) -> None:
        """Waits until the venue may be asked and spends the cost, for callers that sign after waiting and send `is_admitted`.

        Raises: VenueBusy, VenueBanned when the wait would be long.
        """
        if not self.is_playback:
            await self._pacer.admit(venue, key_label=key_label, cost=cost)

    def slow_down(self, venue: str, *, key_label: str = "", seconds: float, is_ban: bool = False) -> None:
        """Notes that the venue asked for a pause in the body of an answer."""
        self._pacer.slow_down(venue, key_label=key_label, seconds=seconds, is_ban=is_ban)

    def attempts(self, most: int = ATTEMPTS_MAX) -> Attempts:
        """A fresh count of attempts, for callers that sign each attempt anew."""
        return Attempts(random=self._chance, started_s=self._clock.monotonic(), left=most)

    async def wait(self, seconds: float) -> None:
        """Lets time pass between two attempts."""
        await self._sleep(seconds)

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
        is_read: bool | None = None,
        is_admitted: bool = False,
        question: Question | None = None,
        bytes_max: int = RESPONSE_BYTES_MAX,
        is_recorded: bool = True,
    ) -> Answer:
        """Sends one request and gives its answer, whatever the status.

        `cost` is the request's weight at the venue, `key_label` the key's pool. A read (`is_read`; by default any GET) is tried
        again after timeouts, resets, 429 and 5xx. `question` is what of it may be recorded; by default path and query.
        An answer that is a secret is not `is_recorded`: no recorder hears of it.

        Raises: EgressRefused before anything is sent; VenueUnavailable, VenueBusy, VenueBanned, VenueBadResponse,
        ResponseTooLarge.
        """
        target = URL(url, encoded=True)
        rule = self._checked(venue, method, target)
        request = Request(
            venue=venue,
            method=method,
            url=target,
            headers=headers or {},
            body=body,
            timeout_s=timeout_s,
            is_configured=rule.is_configured,
            question=question or plain_question(method, target, body),
            bytes_max=bytes_max,
        )
        is_repeatable = method in ("GET", "HEAD") if is_read is None else is_read
        tries = ATTEMPTS_MAX if is_repeatable else 1
        return await self._sent(
            request, key_label=key_label, cost=cost, is_admitted=is_admitted, tries=tries, is_recorded=is_recorded
        )

    async def converse(
        self,
        *,
        venue: str,
        url: str,
        greeting: Procedure,
        procedures: Sequence[Procedure],
        question: Question,
        key_label: str = "",
        timeout_s: float = CONVERSATION_TIMEOUT_S,
        bytes_max: int = RESPONSE_BYTES_MAX,
    ) -> Answer:
        """Asks a server that speaks JSON-RPC by lines (`tls://host:port`) all procedures in one round trip.

        The answer's body is the list of the server's answers in the order of the questions. `greeting` opens each new connection.
        Every procedure must be on the venue's list; all are reads, so they are tried again. Raises: as `request`.
        """
        target = URL(f"{url.rstrip('/')}/", encoded=True)
        rules = [self._checked(venue, asked.method, target) for asked in (greeting, *procedures)]
        request = Request(
            venue=venue,
            method=CONVERSATION,
            url=target,
            headers={},
            body=lines_of(procedures),
            timeout_s=timeout_s,
            is_configured=rules[0].is_configured,
            question=question,
            bytes_max=bytes_max,
            greeting=lines_of([greeting]),
        )
        return await self._sent(request, key_label=key_label, cost=len(procedures), is_admitted=False, tries=ATTEMPTS_MAX)

    def _checked(self, venue: str, method: str, target: URL) -> Rule:
        """The rule that lets the request pass; a refusal is counted. Raises: EgressRefused."""
        try:
            return self._policy.check(venue, method, target)
        except EgressRefused as error:
            self.refuse(venue, "request", f"{method} {target.host}{target.raw_path[:80]}")
            raise error from None

    async def _sent(
        self, request: Request, *, key_label: str, cost: int, is_admitted: bool, tries: int, is_recorded: bool = True
    ) -> Answer:
        """The answer to a request that may pass, noted where a recorder listens."""
        attempts = self.attempts(1 if self.is_playback else tries)
        answer = None
        while answer is None:
            if not is_admitted:
                await self.admit(request.venue, key_label=key_label, cost=cost)
            answer = await self._once(request, key_label=key_label, attempts=attempts)
        if self._recorder is not None and is_recorded:
            self._recorder.note(request.venue, request.question, answer)
        return answer

    async def _once(self, request: Request, *, key_label: str, attempts: Attempts) -> Answer | None:
        """One attempt: its answer, or None when it is worth another one and the pause before that has passed."""
        venue = request.venue
        self.calls[venue, key_label] += 1
        try:
            answer = await self._wire.send(request)
        except EgressRefused as error:
            self.refuse(venue, "connect", f"{request.method} {request.url.host}")
            raise error from None
        except VenueUnavailable as error:
            delay_s = attempts.next_delay_s(now_s=self._clock.monotonic())
            if delay_s is None:
                raise error from None
        else:
            self._pacer.observe(venue, key_label=key_label, status=answer.status, headers=answer.headers, now=answer.received_at)
            if answer.status not in RETRIED_STATUSES:
                return answer
            delay_s = attempts.next_delay_s(now_s=self._clock.monotonic())
            if delay_s is None:
                return answer
        await self._sleep(delay_s)
        return None

    async def close(self) -> None:
        """Closes all connections."""
        await self.sockets.close()
        await self.courier.close()
        await self._wire.close()


__all__ = ["TIMEOUT_S", "Answer", "Budget", "Egress", "Question", "Rule"]
