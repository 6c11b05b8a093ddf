"""One account's calls at one exchange: an exchange object names and signs them, and our own transport carries them.

The object is ccxt's (`ccxt_exchange`) or, for an exchange that ccxt does not have, one of ours (`own_exchange`). Behind both
stand the same gate, before anything is signed, the same pacing, retries and clock, and the same words for errors. Secrets enter
the object at its first call and leave it with `close`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

import msgspec

from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.catalog.oauth import ACCESS
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import (
    BadCredentials,
    EgressRefused,
    OmnifolioError,
    PrivateKeyRefused,
    VenueBadResponse,
    VenueBanned,
    VenueBusy,
    VenueClockSkew,
    VenueError,
    VenueUnavailable,
)
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Answer, Budget, Question, Rule
from omnifolio.transport.pacing import http_date_ms
from omnifolio.transport.retries import ATTEMPTS_MAX
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges import ccxt_exchange, lazy_ccxt, own_exchange, verdict
from omnifolio.venues.exchanges.answers import UNREADABLE
from omnifolio.venues.exchanges.ccxt_exchange import USER_AGENT, exact_json
from omnifolio.venues.exchanges.gate import Gate, Signed, endpoint_of

PLAYBACK_CREDENTIAL = "cGxheWJhY2twbGF5YmFja3BsYXliYWNr"
"""Signs requests that never leave, when a recording answers."""
PRIVATE_KEY_NAME = re.compile(r"private.?key|wallet.?key|seed|mnemonic|recovery|phrase(?<!passphrase)", re.IGNORECASE)
PRIVATE_KEY_VALUE = re.compile(r"0x[0-9a-fA-F]{64}|(?:[a-z]{3,8}\s+){11,23}[a-z]{3,8}")
API_KEYS_CALLED_PRIVATE = frozenset({"coinbase", "revolutx"})
"""Exchanges whose *API* key is an asymmetric key pair: its private half signs requests, it owns no coins."""
SHIFT_MIN_MS = 10_000
"""A clock that is off by less does not make a venue refuse a signature."""
CREDENTIALS = ("apiKey", "secret", "uid", "login", "password", "accountId", "token", "walletAddress", "privateKey", "twofa")


def refuse_private_keys(ccxt_id: str, values: Mapping[str, str]) -> None:
    """Refuses anything that could be a chain's private key or a seed phrase, by its field's name or its form.

    Raises: PrivateKeyRefused. API signing keys of exchanges that use key pairs pass.
    """
    for name, value in values.items():
        is_api_key = ccxt_id in API_KEYS_CALLED_PRIVATE and "-----BEGIN" in value
        if PRIVATE_KEY_VALUE.fullmatch(value.strip()) or (PRIVATE_KEY_NAME.search(name) and not is_api_key):
            raise PrivateKeyRefused(f"{name}: this is a chain's private key or seed phrase, and those are never accepted")


class Bridge:
    """One account at one exchange for the length of one slice."""

    def __init__(self, access: Access, row: ExchangeRow) -> None:
        """Prepares calls for `access` by `row`; nothing is loaded or sent yet. Raises: PrivateKeyRefused."""
        refuse_private_keys(row.ccxt_id, {name: secret.reveal() for name, secret in access.secrets.items()})
        self._access = access
        self._row = row
        self._base = urlsplit(access.base_url.rstrip("/")) if access.base_url else None
        self._object: Any = None
        self._heard: list[Evidence] = []
        self._failure: Exception | None = None
        access.egress.allow(row.id, rules_of(row, access.base_url))
        if self._base is None:
            # The row's budgets are the venue's own. An operator's server in its place has limits of its own, which its answers
            # tell (429, Retry-After); the egress knows it as configured and holds nothing back by itself.
            access.egress.limit(
                row.id,
                address=_budget(row.pacing.address_burst_ms),
                key=_budget(row.pacing.key_burst_ms),
                used_headers=row.pacing.used_headers,
            )

    async def call(self, endpoint: str, params: Mapping[str, str | int] | None = None) -> Evidence:
        """The raw answer of one allowed endpoint, by ccxt's implicit name: `call("privatePostLedgers", {"ofs": 50})`.

        An exchange that ccxt does not have calls it as its row does: `call("GET private wallets")`; a question of the row is
        asked by its own name.

        Its `stream` is "" for the reader to set. Raises: EgressRefused for what is not on the row's list; BadCredentials,
        MissingPermission, AccountLocked, VenueBusy, VenueBanned, VenueUnavailable, VenueClockSkew, VenueBadResponse.
        """
        named = self._row.questions.get(endpoint)
        if named is None:
            return await self._ask(endpoint, params or {}, {})
        linked = {name: self._access.fields.get(field, "") for name, field in named.fields.items()}
        unwritten = {name: self._credential(field) or "" for name, field in named.credentials.items()}
        return await self._ask(named.call, {**named.params, **linked, **(params or {})}, unwritten)

    async def _ask(self, endpoint: str, params: Mapping[str, str | int], unwritten: Mapping[str, str]) -> Evidence:
        """The answer of one endpoint; what is `unwritten` is sent, and stands in no record of the question."""
        exchange, asked = self._exchange(), _sent(self._row, params)
        entry = exchange.described(endpoint)
        if entry is None:
            self._gate_of(exchange).refuse("call", endpoint)
        key = endpoint_of(entry.method, entry.api, entry.path)

        async def once() -> tuple[Question, Answer]:
            with self._gate_of(exchange).ticket(key, asked):
                await self._admit(exchange.weight(entry.api, entry.method, entry.path, asked, entry.config))
                signed = exchange.sign(entry.path, entry.api, entry.method, {**asked, **unwritten})
                checked = exchange.checked(signed["url"], signed["method"], signed["headers"], signed["body"])
                question = self._question(checked, asked)
                return question, await self._carry(checked, question)

        question, answer = await self._persist(once, what=endpoint)
        return Evidence(
            stream="",
            request=f"{question.method} {question.path}",
            params=question.params,
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )

    async def unified(self, method: str, *args: object) -> Any:
        """ccxt's own `fetch_*` under the same gate: numbers are text, `None` is missing.

        Raises: as `call`; EgressRefused for a name that does not begin with `fetch_`.
        """
        exchange = self._exchange()
        if not method.startswith("fetch_") or not hasattr(exchange, method):
            self._gate_of(exchange).refuse("unified", method)
        return await self._persist(lambda: getattr(exchange, method)(*args), what=method)

    async def answers(self, method: str, args: Sequence[object], markets: Sequence[Mapping[str, Any]]) -> list[Evidence]:
        """The raw answers that ccxt's own `fetch_*` received, in their order; `unified.replayed` reads them.

        Each call has an object of its own: what it remembers of an earlier one would change what it asks. A failure or refusal
        that ccxt swallows fails the call. Raises: as `unified`.
        """

        async def once() -> list[Evidence]:
            await self.close()
            self._heard, self._failure = [], None
            self.inject_markets(markets)
            exchange = self._exchange()
            if not method.startswith("fetch_") or not hasattr(exchange, method):
                self._gate_of(exchange).refuse("unified", method)
            try:
                await getattr(exchange, method)(*args)
            except UNREADABLE as error:
                raise VenueBadResponse(f"{self._row.id}: {method}: an answer is not of the documented form") from error
            if self._failure is not None:
                raise self._failure
            return self._heard

        heard: list[Evidence] = await self._persist(once, what=method)
        return heard

    def inject_markets(self, markets: Sequence[Mapping[str, Any]]) -> None:
        """Gives ccxt the markets it may resolve symbols with; it never downloads any."""
        self._exchange().set_markets([dict(market) for market in markets])

    def now(self) -> EpochMs:
        """The time of the account's own clock."""
        return self._access.clock.now()

    async def close(self) -> None:
        """Takes the secrets out of the exchange object and drops it."""
        exchange, self._object = self._object, None
        if exchange is None:
            return
        for name in CREDENTIALS:
            setattr(exchange, name, None)
        for name in [name for name in vars(exchange) if name.startswith(("last_", "last"))]:
            delattr(exchange, name)
        await exchange.close()

    # How a request leaves.

    async def _persist(self, once: Callable[[], Awaitable[Any]], *, what: str) -> Any:
        """Runs a call until it succeeds, its attempts are used up, or trying again is no use. Each attempt is signed anew.

        A refused clock is corrected once; where the venue does not say what it refused, the clock is looked at before the key
        is called wrong. Raises: our errors.
        """
        egress, label = self._access.egress, self._access.key_label
        attempts, is_resynced = egress.attempts(1 if egress.is_playback else ATTEMPTS_MAX), False
        while True:
            try:
                async with egress.timing.turn(self._row.id, label) if self._row.clock.nonce == "increasing" else nullcontext():
                    return await once()
            except (lazy_ccxt.errors().BaseError, VenueUnavailable) as error:
                ours = error if isinstance(error, VenueUnavailable) else verdict.translated(error, self._row, what=what)
                answer = getattr(error, "answer", None)
            is_clock = isinstance(ours, VenueClockSkew)
            # The question for the time itself is not asked again because of the time.
            is_resynced |= what == self._row.clock.endpoint
            if (is_clock or (isinstance(ours, BadCredentials) and self._row.clock.is_silent)) and not is_resynced:
                is_resynced = True
                try:
                    shift_ms = await self._resync(answer if isinstance(answer, Answer) else None)
                except VenueError:
                    raise ours from None
                if is_clock or shift_ms >= SHIFT_MIN_MS:
                    continue
            if isinstance(ours, VenueBusy):
                egress.slow_down(self._row.id, key_label=label, seconds=ours.retry_after_s, is_ban=isinstance(ours, VenueBanned))
            elif not isinstance(ours, VenueUnavailable):
                raise ours
            delay_s = attempts.next_delay_s(now_s=self._access.clock.monotonic())
            if delay_s is None:
                raise ours
            await egress.wait(delay_s)

    async def _carry(self, signed: Signed, question: Question) -> Answer:
        """Sends what was signed. The wait for the venue's budget came before signing, so that no time stamp grows old."""
        answer = await self._access.egress.request(
            venue=self._row.id,
            method=signed.method,
            url=self._wire_url(signed.url),
            headers={**self._object.headers, **signed.headers, "User-Agent": USER_AGENT},
            body=None if signed.body is None else signed.body.encode(),
            key_label=self._access.key_label,
            is_read=False,
            is_admitted=True,
            question=question,
        )
        verdict.check(self._object, self._row, answer, method=signed.method, url=self._own_url(signed.url))
        return answer

    async def _wire(self, signed: Signed) -> Any:
        """What ccxt's own `fetch_*` see: the answer's JSON with every decimal as text."""
        question = self._question(signed, self._object.gate.params())
        try:
            answer = await self._carry(signed, question)
        except (lazy_ccxt.errors().BaseError, OmnifolioError) as error:
            self._failure = error
            raise
        told = Evidence(
            stream="",
            request=f"{question.method} {question.path}",
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )
        self._heard.append(told)
        return exact_json(answer.body.decode("utf-8", errors="replace"), where=self._row.id)

    def _refused(self, venue: str, door: str, what: str) -> None:
        """Hears of a refusal, which ccxt may swallow."""
        self._failure = EgressRefused(f"{venue}: {door} refused: {what} is not an allowed read")
        self._access.egress.refuse(venue, door, what)

    def _question(self, signed: Signed, params: Mapping[str, object]) -> Question:
        """What may be written down of a signed request: its path at the venue, and the parameters that the reader gave."""
        path = urlsplit(self._own_url(signed.url)).path
        return Question(method=signed.method, path=path, params={name: str(value) for name, value in params.items()})

    async def _resync(self, refused: Answer | None) -> int:
        """Learns the venue's time from its time endpoint, else from the Date header of the answer that refused ours.

        Gives by how much that differs from what was taken for the venue's time before, in milliseconds.
        """
        clock, timing = self._row.clock, self._access.egress.timing
        before_ms = timing.offset_ms(self._row.id)
        if clock.endpoint:
            evidence = await self.call(clock.endpoint)
            timing.learn(self._row.id, theirs=stated_time(evidence.body, self._row), ours=evidence.received_at)
        elif refused is not None:
            theirs = http_date_ms(refused.headers.get("date", ""))
            if theirs is not None:
                timing.learn(self._row.id, theirs=theirs, ours=refused.received_at)
        return abs(timing.offset_ms(self._row.id) - before_ms)

    async def _admit(self, cost: int) -> None:
        """The wait for the venue's budget."""
        await self._access.egress.admit(self._row.id, key_label=self._access.key_label, cost=cost)

    # Where it goes.

    def _signing_url(self, url: str) -> str:
        """The URL that is signed: the venue's own, or the same path under the override. Always https, as signatures name it."""
        if self._base is None:
            return url
        return f"https://{self._base.netloc}{self._base.path}{urlsplit(url).path}"

    def _wire_url(self, url: str) -> str:
        """The URL that is asked: the signed one, by plain http where the override says so."""
        return url if self._base is None else url.replace("https://", f"{self._base.scheme}://", 1)

    def _own_url(self, url: str) -> str:
        """The venue's own URL of a signed one."""
        if self._base is None:
            return url
        path = urlsplit(url).path.removeprefix(self._base.path)
        for root in self._row.roots:
            if path.startswith(urlsplit(root).path):
                return f"https://{urlsplit(root).netloc}{path}"
        return url

    # The exchange object.

    def _gate_of(self, exchange: Any) -> Gate:
        gate: Gate = exchange.gate
        return gate

    def _exchange(self) -> Any:
        if self._object is None:
            self._object = self._build()
        return self._object

    def _build(self) -> Any:
        row = self._row
        origins = {f"https://{urlsplit(self._signing_url(base)).netloc}" for base in row.roots}
        gate = Gate(venue=row.id, allowed=row.allowed, origins=origins, on_refused=self._refused)
        make = own_exchange.make if row.signing else ccxt_exchange.make
        exchange = make(row, gate=gate, wire=self._wire)
        hosts = exchange.urls.get("hostnames")
        if hosts:
            # A host for each kind of product: ccxt puts them in while it signs.
            exchange.urls["hostnames"] = _mapped(hosts, lambda host: urlsplit(self._signing_url(f"https://{host}")).netloc)
        exchange.urls["api"] = _mapped(
            exchange.urls["api"], lambda url: self._signing_url(url if hosts else exchange.implode_hostname(url))
        )
        exchange.time_ms = self._now_ms
        exchange.admit = self._admit
        exchange.next_nonce_us = self._next_nonce_us
        if ACCESS in self._access.secrets:
            exchange.token = self._access.secrets[ACCESS].reveal()
            return exchange
        for field in row.fields:
            value = self._credential(field.name)
            if value is not None:
                setattr(exchange, field.target, value)
        return exchange

    def _credential(self, field: str) -> str | None:
        secret = self._access.secrets.get(field)
        value = secret.reveal() if secret else self._access.fields.get(field)
        return PLAYBACK_CREDENTIAL if value is None and self._access.egress.is_playback else value

    def _now_ms(self) -> int:
        return self._access.clock.now() + self._access.egress.timing.offset_ms(self._row.id)

    def _next_nonce_us(self) -> int:
        return self._access.egress.timing.nonce_us(self._row.id, self._access.key_label, now_ms=self._now_ms())


def stated_time(body: bytes, row: ExchangeRow) -> EpochMs:
    """The instant in the answer of the row's time endpoint. Raises: VenueBadResponse."""
    try:
        value = msgspec.json.decode(body)
        for name in row.clock.field:
            value = value[int(name)] if isinstance(value, list) else value[name]
        return EpochMs(int(value) * row.clock.unit_ms)
    except (msgspec.DecodeError, IndexError, KeyError, TypeError, ValueError):
        raise VenueBadResponse(f"{row.id}: the time endpoint stated no time") from None


def rules_of(row: ExchangeRow, base_url: str | None = None) -> tuple[Rule, ...]:
    """What the egress lets pass for this exchange: every allowed call with its full URL, under the override if there is one."""
    base = (base_url or "").rstrip("/")
    return tuple(
        Rule(method, f"{base}{urlsplit(url).path}" if base else url, is_configured=bool(base))
        for method, url in ((endpoint[0], row.url_of(endpoint)) for endpoint in row.allowed)
    )


def _sent(row: ExchangeRow, params: Mapping[str, str | int]) -> dict[str, str | int]:
    """The parameters in the types in which the venue takes them."""
    return {name: int(value) if row.sends_integers and str(value).isdigit() else value for name, value in params.items()}


def _budget(burst_ms: int) -> Budget | None:
    return Budget(burst=burst_ms, per_s=1000) if burst_ms else None


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same tree with every text changed."""
    if isinstance(value, str):
        return change(value)
    return {name: _mapped(item, change) for name, item in value.items()} if isinstance(value, dict) else value
