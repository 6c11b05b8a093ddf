"""The last requests to the API of this process: what was asked, how it ended and how long it took, not what it carried."""

from collections import deque
from typing import Any, NamedTuple

from omnifolio.model.clock import EpochMs

KEPT = 1_000
API_PATHS = ("/v1", "/auth")


class Noted(NamedTuple):
    """One request. `route` is the route's pattern, so that no id of a user's stands in it; `team` is a client id."""

    at: EpochMs
    method: str
    route: str
    status: int
    took_ms: int
    team: str | None
    request_id: str


class RequestLog:
    """A ring of requests, newest last."""

    def __init__(self) -> None:
        self._ring: deque[Noted] = deque(maxlen=KEPT)

    def note(self, scope: Any, *, at: EpochMs, status: int, took_ms: int) -> None:
        """Keeps one request to the API; pages and files are not noted."""
        if not scope["path"].startswith(API_PATHS):
            return
        state: dict[str, Any] = scope["state"]
        session = state.get("session")
        self._ring.append(
            Noted(
                at,
                scope["method"],
                scope.get("path_template") or "(no route)",
                status,
                took_ms,
                None if session is None else session.state.client_id,
                state["request_id"],
            )
        )

    def newest(self) -> list[Noted]:
        """All that are kept, newest first."""
        return list(reversed(self._ring))
