"""The clients: `Omnifolio` blocks, `AsyncOmnifolio` awaits. Every operation of the API is a method (`api`); here is what goes on
around them: who asks, sending, and what takes several requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from omnifolio_client.api import Api, AsyncApi
from omnifolio_client.calls import Answer, Call, Identity, Reply, Result, Retries, Send, Wait, perform
from omnifolio_client.errors import ConnectionFailed, TimedOut
from omnifolio_client.models import Order, Sync, Transaction

T = TypeVar("T")

TIMEOUT_S = 30.0
_sleep, _pause = time.sleep, asyncio.sleep
PAGE = 1000
"""Rows in one answer of those that page."""


class Omnifolio(Api):
    """The API for one user, or for what needs none, in blocking code. Threads may share one.

    `base_url` is where the server answers, without `/v1`. Give `client_id`, `secret` and `user` (your own id of that person), or
    a `token` that your server has got. `http` is an httpx client of your own, for proxies or certificates; it is not closed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str | None = None,
        secret: str | None = None,
        user: str | None = None,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = Retries(),  # noqa: B008 - it cannot be changed
        http: httpx.Client | None = None,
    ) -> None:
        self._base_url, self._retries, self._timeout_s = base_url.rstrip("/"), retries, timeout_s
        self._identity = Identity(client_id=client_id, secret=secret, user=user, token=token)
        self._http, self._is_ours = http or httpx.Client(), http is None

    def for_user(self, user: str) -> "Omnifolio":
        """The same team for another user, over the same connections; closing this one closes them."""
        found = Omnifolio(self._base_url, timeout_s=self._timeout_s, retries=self._retries, http=self._http)
        found._identity = self._identity.of(user)
        return found

    def send(self, call: Call[T]) -> Answer[T]:
        """Carries out a call of `omnifolio_client.operations` and gives the answer with its status, headers and bytes."""
        steps = perform(call, self._identity, self._retries)
        result: Result = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                answer: Answer[T] = done.value
                return answer
            if isinstance(step, Wait):
                _sleep(step.seconds)
                result = None
            else:
                result = self._once(step)

    def run(self, call: Call[T]) -> T:
        """Carries out a call and gives what was asked for."""
        return self.send(call).value

    def transactions(self, account_id: str, **filters: Any) -> Iterator[Transaction]:
        """All transactions of an account, page by page, with the filters of `list_transactions`. New ones disturb nothing."""
        last = ""
        while rows := self.list_transactions(account_id, **{"limit": PAGE, **filters, "last": last}):
            yield from rows
            last = rows[-1].id

    def orders(self, account_id: str, **filters: Any) -> Iterator[Order]:
        """All orders of an account, page by page, with the filters of `list_orders`."""
        last = ""
        while rows := self.list_orders(account_id, **{"limit": PAGE, **filters, "last": last}):
            yield from rows
            last = rows[-1].id

    def sync(self, cursor: str = "", *, limit: int | None = None, fiat: str | None = None) -> Iterator[Sync]:
        """The answers from a cursor up to now; afterwards your copy equals the server. Keep each `next_cursor` with its rows."""
        while True:
            answer = self.sync_page(cursor=cursor or None, limit=limit, fiat=fiat)
            yield answer
            if not answer.has_more:
                return
            cursor = answer.next_cursor

    def close(self) -> None:
        """Closes the connections, unless they are those of `http`."""
        if self._is_ours:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _once(self, step: Send) -> Result:
        try:
            answer = self._http.request(**_request(self._base_url, step, self._timeout_s))
        except httpx.HTTPError as error:
            return _failure(error)
        return Reply(answer.status_code, answer.headers, answer.content)


class AsyncOmnifolio(AsyncApi):
    """The API for one user, or for what needs none, in asyncio code. Tasks of one loop may share one. See `Omnifolio`."""

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str | None = None,
        secret: str | None = None,
        user: str | None = None,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = Retries(),  # noqa: B008 - it cannot be changed
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._base_url, self._retries, self._timeout_s = base_url.rstrip("/"), retries, timeout_s
        self._identity = Identity(client_id=client_id, secret=secret, user=user, token=token)
        self._http, self._is_ours = http or httpx.AsyncClient(), http is None

    def for_user(self, user: str) -> "AsyncOmnifolio":
        """The same team for another user, over the same connections; closing this one closes them."""
        found = AsyncOmnifolio(self._base_url, timeout_s=self._timeout_s, retries=self._retries, http=self._http)
        found._identity = self._identity.of(user)
        return found

    async def send(self, call: Call[T]) -> Answer[T]:
        """Carries out a call of `omnifolio_client.operations` and gives the answer with its status, headers and bytes."""
        steps = perform(call, self._identity, self._retries)
        result: Result = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                answer: Answer[T] = done.value
                return answer
            if isinstance(step, Wait):
                await _pause(step.seconds)
                result = None
            else:
                result = await self._once(step)

    async def run(self, call: Call[T]) -> T:
        """Carries out a call and gives what was asked for."""
        return (await self.send(call)).value

    async def transactions(self, account_id: str, **filters: Any) -> AsyncIterator[Transaction]:
        """All transactions of an account, page by page, with the filters of `list_transactions`. New ones disturb nothing."""
        last = ""
        while rows := await self.list_transactions(account_id, **{"limit": PAGE, **filters, "last": last}):
            for row in rows:
                yield row
            last = rows[-1].id

    async def orders(self, account_id: str, **filters: Any) -> AsyncIterator[Order]:
        """All orders of an account, page by page, with the filters of `list_orders`."""
        last = ""
        while rows := await self.list_orders(account_id, **{"limit": PAGE, **filters, "last": last}):
            for row in rows:
                yield row
            last = rows[-1].id

    async def sync(self, cursor: str = "", *, limit: int | None = None, fiat: str | None = None) -> AsyncIterator[Sync]:
        """The answers from a cursor up to now; afterwards your copy equals the server. Keep each `next_cursor` with its rows."""
        while True:
            answer = await self.sync_page(cursor=cursor or None, limit=limit, fiat=fiat)
            yield answer
            if not answer.has_more:
                return
            cursor = answer.next_cursor

    async def close(self) -> None:
        """Closes the connections, unless they are those of `http`."""
        if self._is_ours:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _once(self, step: Send) -> Result:
        try:
            answer = await self._http.request(**_request(self._base_url, step, self._timeout_s))
        except httpx.HTTPError as error:
            return _failure(error)
        return Reply(answer.status_code, answer.headers, answer.content)


def _request(base_url: str, step: Send, timeout_s: float) -> dict[str, Any]:
    return {
        "method": step.method,
        "url": base_url + step.path,
        "params": dict(step.query),
        "headers": dict(step.headers),
        "content": step.body,
        "timeout": timeout_s if step.timeout_s is None else max(timeout_s, step.timeout_s),
        "follow_redirects": False,
    }


def _failure(error: httpx.HTTPError) -> ConnectionFailed:
    kind = TimedOut if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    return kind(str(error) or type(error).__name__)
