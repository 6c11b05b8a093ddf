"""The server's errors, one class for each code.

Made by tools/python_sdk.py from the API's description.
"""

from collections.abc import Mapping

from omnifolio_client.errors import ApiError


class ServerError(ApiError):
    """Something went wrong inside Omnifolio. Nothing is lost. Try again; if it stays, report the request id."""

    code = "internal"


class CallerError(ApiError):
    """The request cannot be served as it stands. Correct the named field and send the request again."""

    code = "bad_request"


class VenueError(ApiError):
    """The venue could not be read. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_failed"


class EgressRefused(ApiError):
    """A request that is not on the list of allowed reads was stopped before it was signed. Nothing left this server. Report it: a reader tried something that it must not."""

    code = "egress_refused"


class LeaseLost(ApiError):
    """Another worker has taken over this account; this one's page was not written. Nothing is lost. Try again; if it stays, report the request id."""

    code = "lease_lost"


class StoreUnavailable(ApiError):
    """The database cannot be reached or written. Check the database and the disk; nothing half-written stays."""

    code = "store_unavailable"


class SchemaTooNew(ApiError):
    """The database was written by a newer Omnifolio than this one. Start the newer version, or restore the backup made before the upgrade."""

    code = "schema_too_new"


class VaultUnavailable(ApiError):
    """The vault cannot be opened here, so no account can be synchronised. Check that the key file is in its place and readable by this server alone."""

    code = "vault_unavailable"


class SecretUnreadable(ApiError):
    """A stored credential does not open with the keys that are here. Reconnect the account."""

    code = "secret_unreadable"


class InvalidSettings(ApiError):
    """The configuration is not usable. Correct the named setting and start again."""

    code = "invalid_settings"


class SandboxFailed(ApiError):
    """The sandbox did not start. See what the sandbox itself says above; another --sandbox-port may be free."""

    code = "sandbox_failed"


class InvalidAmount(CallerError):
    """A number is not an exact, finite decimal within the limits. Correct the named field and send the request again."""

    code = "invalid_amount"


class InvalidField(CallerError):
    """A field of the request is not what it should be. Correct the named field and send the request again."""

    code = "invalid_field"


class Unauthenticated(CallerError):
    """The request has no valid token. Get a new token from POST /v1/auth/token."""

    code = "unauthenticated"


class Forbidden(CallerError):
    """The token does not allow this. Use a token or key with the needed scope."""

    code = "forbidden"


class NotFound(CallerError):
    """There is nothing here under that id for this user. Check the id; ids of other users and deleted accounts are not found either."""

    code = "not_found"


class Conflict(CallerError):
    """The request collides with what is already stored. Use the existing one that the answer names."""

    code = "conflict"


class MethodNotAllowed(CallerError):
    """This address does not know that method. Use a method that the Allow header names."""

    code = "method_not_allowed"


class TooLarge(CallerError):
    """The request body is larger than allowed. Correct the named field and send the request again."""

    code = "too_large"


class UnsupportedMedia(CallerError):
    """The request body is compressed or of a type that is not read here. Send uncompressed JSON with Content-Type: application/json."""

    code = "unsupported_media"


class RateLimited(CallerError):
    """Too many requests in a short time. Wait as long as Retry-After says."""

    code = "rate_limited"


class LiteralSecretRefused(CallerError):
    """A credential was given in plain text where other programs can read it. Give it as key=@FILE, key=-, --credential-env PREFIX, or answer the prompt."""

    code = "literal_secret_refused"


class PrivateKeyRefused(CallerError):
    """Omnifolio never accepts a chain's private key or seed phrase: an address is enough to read. Give the public address instead, and treat a key that you pasted anywhere as exposed."""

    code = "private_key_refused"


class FileRefused(CallerError):
    """The file is not in a form that can be read. Export the file again from the venue without editing it."""

    code = "file_refused"


class VenueUnavailable(VenueError):
    """The venue did not answer, or answered that it is down. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_unavailable"


class VenueBusy(VenueError):
    """The venue asked us to slow down. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_busy"


class VenueBadResponse(VenueError):
    """The venue's answer is not what its documentation says; nothing was written from it. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_bad_response"


class VenueClockSkew(VenueError):
    """The venue refused our clock even after we adjusted to its own. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_clock_skew"


class ProductNotOpen(VenueError):
    """The account has never used that product of the venue, so there is nothing to read. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "product_not_open"


class VenueUserError(VenueError):
    """The venue refuses this account's credentials. Reconnect the account with a new read-only key."""

    code = "venue_refused"


class AlreadyConnected(Conflict):
    """This user has already connected that account or wallet. Use the existing one that the answer names."""

    code = "already_connected"


class SyncInProgress(Conflict):
    """This account is being synchronised right now. Wait for the running sync; poll the account."""

    code = "sync_in_progress"


class VenueBanned(VenueBusy):
    """The venue has blocked this server's address for a while. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "venue_banned"


class ResponseTooLarge(VenueBadResponse):
    """The answer is larger than the limit, or unpacks to more than the limit. Nothing to do: the last good data stay, and the next sync tries again."""

    code = "response_too_large"


class BadCredentials(VenueUserError):
    """The key or secret is wrong, was deleted, or has expired at the venue. Reconnect the account with a new read-only key."""

    code = "bad_credentials"


class MissingPermission(VenueUserError):
    """The key may not read something that it needs to read. At the venue, let the key read balances and history (nothing else), then reconnect."""

    code = "missing_permission"


class ExcessPermission(VenueUserError):
    """The key can do more than read, so it was not kept. Make a key at the venue that can only read, and connect with that one."""

    code = "excess_permission"


class AccountLocked(VenueUserError):
    """The venue has suspended this account. Ask the venue's support; reconnect afterwards."""

    code = "account_locked"


BY_CODE: Mapping[str, type[ApiError]] = {
    "account_locked": AccountLocked,
    "already_connected": AlreadyConnected,
    "bad_credentials": BadCredentials,
    "bad_request": CallerError,
    "conflict": Conflict,
    "egress_refused": EgressRefused,
    "excess_permission": ExcessPermission,
    "file_refused": FileRefused,
    "forbidden": Forbidden,
    "internal": ServerError,
    "invalid_amount": InvalidAmount,
    "invalid_field": InvalidField,
    "invalid_settings": InvalidSettings,
    "lease_lost": LeaseLost,
    "literal_secret_refused": LiteralSecretRefused,
    "method_not_allowed": MethodNotAllowed,
    "missing_permission": MissingPermission,
    "not_found": NotFound,
    "private_key_refused": PrivateKeyRefused,
    "product_not_open": ProductNotOpen,
    "rate_limited": RateLimited,
    "response_too_large": ResponseTooLarge,
    "sandbox_failed": SandboxFailed,
    "schema_too_new": SchemaTooNew,
    "secret_unreadable": SecretUnreadable,
    "store_unavailable": StoreUnavailable,
    "sync_in_progress": SyncInProgress,
    "too_large": TooLarge,
    "unauthenticated": Unauthenticated,
    "unsupported_media": UnsupportedMedia,
    "vault_unavailable": VaultUnavailable,
    "venue_bad_response": VenueBadResponse,
    "venue_banned": VenueBanned,
    "venue_busy": VenueBusy,
    "venue_clock_skew": VenueClockSkew,
    "venue_failed": VenueError,
    "venue_refused": VenueUserError,
    "venue_unavailable": VenueUnavailable,
}
