"""Every error that Omnifolio raises on purpose: a stable code, who must act, whether trying again helps, and a safe text.

`blame`  who can mend it: caller (the request), user (their key or account), venue (their server), us.
`retry`  never (same input, same answer) · later (by itself) · after_user (when the user has acted).
`vezgo`  the `error.name` on an account of `/v1`; None where the error never reaches an account.
`action` what the user can do, in one sentence.

Messages never hold a secret, an address or a body that came from outside.
"""

from typing import ClassVar, Literal

Blame = Literal["caller", "user", "venue", "us"]
Retry = Literal["never", "later", "after_user"]
AccountErrorName = Literal[
    "LoginFailedError",
    "SecurityQuestionError",
    "TemporaryFailureError",
    "UnknownConnectorError",
    "UnhandledConnectorError",
]

DOCS_URL = "https://omnifolio.dev/errors#"


class OmnifolioError(Exception):
    """Something went wrong inside Omnifolio."""

    code: ClassVar[str] = "internal"
    blame: ClassVar[Blame] = "us"
    retry: ClassVar[Retry] = "later"
    status: ClassVar[int] = 500
    vezgo: ClassVar[AccountErrorName | None] = "UnhandledConnectorError"
    action: ClassVar[str] = "Nothing is lost. Try again; if it stays, report the request id."

    def __init__(self, message: str | None = None, **extra: object) -> None:
        self.message = message or (type(self).__doc__ or "").split("\n", 1)[0]
        self.extra = extra
        super().__init__(self.message)

    @property
    def docs_url(self) -> str:
        """Where this code is explained."""
        return DOCS_URL + self.code


class CallerError(OmnifolioError):
    """The request cannot be served as it stands."""

    code = "bad_request"
    blame: ClassVar[Blame] = "caller"
    retry: ClassVar[Retry] = "never"
    status = 400
    vezgo: ClassVar[AccountErrorName | None] = None
    action = "Correct the named field and send the request again."


class InvalidAmount(CallerError):
    """A number is not an exact, finite decimal within the limits."""

    code = "invalid_amount"


class InvalidField(CallerError):
    """A field of the request is not what it should be."""

    code = "invalid_field"


class Unauthenticated(CallerError):
    """The request has no valid token."""

    code = "unauthenticated"
    status = 401
    action = "Get a new token from POST /v1/auth/token."


class NotSignedIn(CallerError):
    """Nobody is signed in to the console in this browser."""

    code = "not_signed_in"
    status = 401
    action = "Run omnifolio owner link and open the link that it prints."


class Forbidden(CallerError):
    """The token does not allow this."""

    code = "forbidden"
    status = 403
    action = "Use a token or key with the needed scope."


class NotFound(CallerError):
    """There is nothing here under that id for this user."""

    code = "not_found"
    status = 404
    action = "Check the id; ids of other users and deleted accounts are not found either."


class Conflict(CallerError):
    """The request collides with what is already stored."""

    code = "conflict"
    status = 409
    action = "Use the existing one that the answer names."


class AlreadyConnected(Conflict):
    """This user has already connected that account or wallet."""

    code = "already_connected"


class SyncInProgress(Conflict):
    """This account is being synchronised right now."""

    code = "sync_in_progress"
    action = "Wait for the running sync; poll the account."


class MethodNotAllowed(CallerError):
    """This address does not know that method."""

    code = "method_not_allowed"
    status = 405
    action = "Use a method that the Allow header names."


class TooLarge(CallerError):
    """The request body is larger than allowed."""

    code = "too_large"
    status = 413


class UnsupportedMedia(CallerError):
    """The request body is compressed or of a type that is not read here."""

    code = "unsupported_media"
    status = 415
    action = "Send uncompressed JSON with Content-Type: application/json."


class RateLimited(CallerError):
    """Too many requests in a short time."""

    code = "rate_limited"
    status = 429
    retry: ClassVar[Retry] = "later"
    action = "Wait as long as Retry-After says."


class ConnectRefused(CallerError):
    """Connect cannot be opened with these parameters."""

    code = "connect_refused"
    action = "Correct the named parameter where the application opens Connect, then open it again."

    def __init__(self, kind: str = "", message: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        """Vezgo's `type` of it, such as WRONG_CLIENT_ID."""


class LiteralSecretRefused(CallerError):
    """A credential was given in plain text where other programs can read it."""

    code = "literal_secret_refused"
    action = "Give it as key=@FILE, key=-, --credential-env PREFIX, or answer the prompt."


class PrivateKeyRefused(CallerError):
    """Omnifolio never accepts a chain's private key or seed phrase: an address is enough to read."""

    code = "private_key_refused"
    action = "Give the public address instead, and treat a key that you pasted anywhere as exposed."


class SignatureInvalid(CallerError):
    """The message is not signed with a secret that is valid here, or it is too old."""

    code = "signature_invalid"
    action = "Refuse the message; check the webhook's secret and this machine's clock."


class AuthorisationFailed(CallerError):
    """The consent cannot be finished: it is unknown, used, too old, or not from the venue that was asked."""

    code = "authorisation_failed"
    action = "Begin again: link the account from the start."


class ConsentDenied(AuthorisationFailed):
    """The venue says that nobody consented."""

    code = "consent_denied"
    action = "Link the account again and allow access at the venue, or enter a read-only key instead."


class VenueError(OmnifolioError):
    """The venue could not be read."""

    code = "venue_failed"
    blame: ClassVar[Blame] = "venue"
    retry: ClassVar[Retry] = "later"
    status = 502
    vezgo: ClassVar[AccountErrorName | None] = "TemporaryFailureError"
    action = "Nothing to do: the last good data stay, and the next sync tries again."


class VenueUnavailable(VenueError):
    """The venue did not answer, or answered that it is down."""

    code = "venue_unavailable"


class VenueBusy(VenueError):
    """The venue asked us to slow down."""

    code = "venue_busy"

    def __init__(self, message: str | None = None, *, retry_after_s: float = 0.0, **extra: object) -> None:
        super().__init__(message, **extra)
        self.retry_after_s = retry_after_s


class VenueBanned(VenueBusy):
    """The venue has blocked this server's address for a while."""

    code = "venue_banned"


class VenueBadResponse(VenueError):
    """The venue's answer is not what its documentation says; nothing was written from it."""

    code = "venue_bad_response"
    vezgo: ClassVar[AccountErrorName | None] = "UnknownConnectorError"


class VenueClockSkew(VenueError):
    """The venue refused our clock even after we adjusted to its own."""

    code = "venue_clock_skew"


class ProductNotOpen(VenueError):
    """The account has never used that product of the venue, so there is nothing to read."""

    code = "product_not_open"


class VenueUserError(VenueError):
    """The venue refuses this account's credentials."""

    code = "venue_refused"
    blame: ClassVar[Blame] = "user"
    retry: ClassVar[Retry] = "after_user"
    vezgo: ClassVar[AccountErrorName | None] = "LoginFailedError"
    action = "Reconnect the account with a new read-only key."


class BadCredentials(VenueUserError):
    """The key or secret is wrong, was deleted, or has expired at the venue."""

    code = "bad_credentials"


class MissingPermission(VenueUserError):
    """The key may not read something that it needs to read."""

    code = "missing_permission"
    action = "At the venue, let the key read balances and history (nothing else), then reconnect."


class ExcessPermission(VenueUserError):
    """The key can do more than read, so it was not kept."""

    code = "excess_permission"
    status = 400
    action = "Make a key at the venue that can only read, and connect with that one."


class NeedsReconnect(VenueUserError):
    """The account was brought from another service, which does not hand on credentials."""

    code = "needs_reconnect"
    action = "Reconnect the account with a new read-only key or its address; its id and history stay."


class AccountLocked(VenueUserError):
    """The venue has suspended this account."""

    code = "account_locked"
    action = "Ask the venue's support; reconnect afterwards."


class EgressRefused(OmnifolioError):
    """A request that is not on the list of allowed reads was stopped before it was signed."""

    code = "egress_refused"
    blame: ClassVar[Blame] = "us"
    retry: ClassVar[Retry] = "never"
    action = "Nothing left this server. Report it: a reader tried something that it must not."


class ResponseTooLarge(VenueBadResponse):
    """The answer is larger than the limit, or unpacks to more than the limit."""

    code = "response_too_large"


class LeaseLost(OmnifolioError):
    """Another worker has taken over this account; this one's page was not written."""

    code = "lease_lost"
    retry: ClassVar[Retry] = "never"
    vezgo: ClassVar[AccountErrorName | None] = None


class StoreUnavailable(OmnifolioError):
    """The database cannot be reached or written."""

    code = "store_unavailable"
    status = 503
    vezgo: ClassVar[AccountErrorName | None] = "TemporaryFailureError"
    action = "Check the database and the disk; nothing half-written stays."


class SchemaTooNew(OmnifolioError):
    """The database was written by a newer Omnifolio than this one."""

    code = "schema_too_new"
    retry: ClassVar[Retry] = "never"
    vezgo: ClassVar[AccountErrorName | None] = None
    action = "Start the newer version, or restore the backup made before the upgrade."


class PagesMissing(OmnifolioError):
    """The web pages of this installation were not built."""

    code = "pages_missing"
    retry: ClassVar[Retry] = "never"
    status = 503
    vezgo: ClassVar[AccountErrorName | None] = None
    action = "Run make web (it needs Node 20 or newer), or install the released package, which brings them."


class VaultUnavailable(OmnifolioError):
    """The vault cannot be opened here, so no account can be synchronised."""

    code = "vault_unavailable"
    status = 503
    vezgo: ClassVar[AccountErrorName | None] = "TemporaryFailureError"
    action = "Check that the key file is in its place and readable by this server alone."


class SecretUnreadable(OmnifolioError):
    """A stored credential does not open with the keys that are here."""

    code = "secret_unreadable"
    retry: ClassVar[Retry] = "after_user"
    vezgo: ClassVar[AccountErrorName | None] = "LoginFailedError"
    action = "Reconnect the account."


class InvalidSettings(OmnifolioError):
    """The configuration is not usable."""

    code = "invalid_settings"
    blame: ClassVar[Blame] = "caller"
    retry: ClassVar[Retry] = "never"
    status = 500
    vezgo: ClassVar[AccountErrorName | None] = None
    action = "Correct the named setting and start again."


class SandboxFailed(OmnifolioError):
    """The sandbox did not start."""

    code = "sandbox_failed"
    vezgo: ClassVar[AccountErrorName | None] = None
    action = "See what the sandbox itself says above; another --sandbox-port may be free."


class FileRefused(CallerError):
    """The file is not in a form that can be read."""

    code = "file_refused"
    action = "Export the file again from the venue without editing it."


def by_code() -> dict[str, type[OmnifolioError]]:
    """Every error class by its code; where several share one, the most general."""
    found: dict[str, type[OmnifolioError]] = {}
    waiting: list[type[OmnifolioError]] = [OmnifolioError]
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return found


def account_error_name(code: str) -> AccountErrorName:
    """What the wire of `/v1` calls a problem of an account that has this code."""
    return by_code().get(code, VenueError).vezgo or "UnhandledConnectorError"
