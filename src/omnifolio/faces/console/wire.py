"""What the console's page and its server say to each other, as JSON."""

from typing import Literal

from msgspec import Struct


class FactsOut(Struct, frozen=True):
    """What the page begins with. `prefix` is the path under which browsers see this server."""

    prefix: str
    version: str
    is_sandbox: bool
    fiat: str


class DoorOut(Struct, frozen=True):
    """How one can sign in here, and whether somebody is."""

    signed_in: bool
    has_password: bool
    has_passkey: bool


class TokenIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of a link."""

    token: str


class PasswordIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A password."""

    password: str


class TokenOut(Struct, frozen=True):
    """A token for `/v1` in the owner's name, and when it ends."""

    token: str
    expires_at: int


class MethodOut(Struct, frozen=True):
    """One way to sign in."""

    id: int
    kind: str
    name: str
    created_at: int
    last_used_at: int | None


class BrowserOut(Struct, frozen=True):
    """One browser that is signed in; `is_this` for the one that asks."""

    method: str
    agent: str
    created_at: int
    seen_at: int
    is_this: bool


class SecurityOut(Struct, frozen=True):
    """Who can come in, and who is in."""

    methods: list[MethodOut]
    browsers: list[BrowserOut]


class PasskeyNameIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A new passkey: its name, and the browser's answer as it encoded it."""

    name: str
    answer: str


class PasskeyIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey's signature, as the browser encoded it."""

    answer: str


class SecretOut(Struct, frozen=True):
    """What may be shown of a team's secret."""

    id: int
    hint: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None


class TeamOut(Struct, frozen=True):
    """A team as its administrator sees it."""

    client_id: str
    name: str
    is_active: bool
    is_owner: bool
    created_at: int
    redirect_uris: list[str]
    origins: list[str]
    secrets: list[SecretOut]


class TeamIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A new team."""

    name: str
    redirect_uris: list[str] = []
    origins: list[str] = []


class TeamChangeIn(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different about a team."""

    name: str | None = None
    redirect_uris: list[str] | None = None
    origins: list[str] | None = None


class RotateIn(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the secret before goes on working, in days."""

    overlap_days: int


class NewSecretOut(Struct, frozen=True):
    """A secret, shown this once."""

    client_id: str
    secret: str


class RequestOut(Struct, frozen=True):
    """One request to the API, without anything that it carried. `took_ms` is the time from its arrival to its answer."""

    at: int
    method: str
    route: str
    status: int
    took_ms: int
    team: str | None
    request_id: str


class RequestsOut(Struct, frozen=True):
    """The last requests of this process, newest first."""

    requests: list[RequestOut]


class LinkIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Which account is to be reconnected; None to connect another one."""

    account: str | None = None


class LinkOut(Struct, frozen=True):
    """The address on this server that opens Connect once."""

    url: str


class WebhookOut(Struct, frozen=True, kw_only=True):
    """A webhook. No `types` stand for all; `counts` are its deliveries by state."""

    id: str
    url: str
    format: str
    types: list[str]
    is_active: bool
    off_reason: str
    earlier_secret_until: int | None
    created_at: int
    counts: dict[str, int]


class WebhooksOut(Struct, frozen=True):
    """A team's webhooks, and the types of events that one may be told of."""

    webhooks: list[WebhookOut]
    types: list[str]


class WebhookIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A new webhook. No `types` stand for all."""

    url: str
    format: Literal["omnifolio", "vezgo"]
    types: list[str] = []


class WebhookChangeIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a webhook is to be told anything."""

    is_active: bool


class SigningSecretOut(Struct, frozen=True):
    """A webhook's signing secret."""

    id: str
    secret: str


class DeliveryOut(Struct, frozen=True, kw_only=True):
    """One event on its way. `message` is its header webhook-id; `due_at` is None once it is settled."""

    id: str
    message: str
    type: str
    at: int
    state: str
    tries: int
    due_at: int | None
    done_at: int | None


class ReplayedOut(Struct, frozen=True):
    """How many deliveries are sent again."""

    count: int


class ReachedOut(Struct, frozen=True):
    """How many visits of Connect came to a step, by venue and outcome."""

    step: str
    venue: str | None
    outcome: str
    visits: int
