"""What can go wrong: the server's own errors by their codes (`codes`), and what happens before or after the server."""

from collections.abc import Mapping
from typing import ClassVar


class OmnifolioClientError(Exception):
    """Anything that this package raises."""


class ConnectionFailed(OmnifolioClientError):
    """The server could not be reached, or the connection broke."""


class TimedOut(ConnectionFailed):
    """The server did not answer in time."""


class UnexpectedAnswer(OmnifolioClientError):
    """The answer is not what the API describes: a proxy's page, or a version that does not fit."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class WebhookInvalid(OmnifolioClientError):
    """A webhook that the server did not sign, or that is too old or too new."""


class ApiError(OmnifolioClientError):
    """The server refused a request, and says why.

    `code` is stable, and each one has a class of its own in `omnifolio_client.codes`. `blame` says who can mend it (`caller`,
    `user`, `venue`, `us`), `retry` whether the same request helps (`never`, `later`, `after_user`), `action` what to do about it.
    """

    code: ClassVar[str] = ""

    def __init__(self, status: int, problem: Mapping[str, object], *, retry_after_s: float | None = None) -> None:
        self.status, self.problem, self.retry_after_s = status, problem, retry_after_s
        self.message = str(problem.get("message") or problem.get("detail") or f"HTTP {status}")
        self.server_code = str(problem.get("code") or "")
        self.blame = str(problem.get("blame") or "")
        self.retry = str(problem.get("retry") or "")
        self.action = str(problem.get("action") or "")
        self.request_id = str(problem.get("request_id") or "")
        self.docs_url = str(problem.get("docs_url") or "")
        super().__init__(f"{self.message} ({self.server_code or status}, request {self.request_id or 'unknown'})")

    @property
    def existing_account(self) -> str | None:
        """The id of the account that is connected already, where that is what was refused."""
        found = self.problem.get("existing_connection_id")
        return found if isinstance(found, str) else None
