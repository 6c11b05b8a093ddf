"""A team's webhooks and what became of their messages, how far visits of its Connect page came, and Connect for the owner."""

from typing import Annotated

from litestar import Response, Router, delete, get, patch, post
from litestar.params import JSONBody, PathParameter

from omnifolio.app import administer, connecting, notifying
from omnifolio.app.notifying import WebhookView
from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.faces.api.answers import answer
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.given import DeskGiven
from omnifolio.faces.console import admission
from omnifolio.faces.console.door import ACTOR, SIGNED_IN
from omnifolio.faces.console.integrators import Client
from omnifolio.faces.console.wire import (
    DeliveryOut,
    LinkIn,
    LinkOut,
    ReachedOut,
    ReplayedOut,
    SigningSecretOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)
from omnifolio.faces.pages.page import prefix_of
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS
from omnifolio.model.happenings import CHOSEN_TYPES

VISITS_DAYS = 30
OVERLAP_MS = DAY_MS
DELIVERIES_SHOWN = 50
Webhook = Annotated[str, PathParameter(max_length=64)]


@post("/link", status_code=201, opt={SCOPE: PUBLIC})
async def make_link(desk: DeskGiven, data: JSONBody[LinkIn]) -> Response[bytes]:
    """Opens Connect for the owner, to link an account or to reconnect one."""
    context, owner = desk.context, await administer.owner_of(desk.context)
    wishes = {"theme": "auto"}
    made = await connecting.make_link(context, owner.principal, wishes, provider=None, account=data.account)
    return answer(LinkOut(f"{prefix_of(context.settings)}/connect?link_token={made.token.reveal()}"), status=201)


@get("/teams/{client_id:str}/webhooks", opt={SCOPE: PUBLIC})
async def list_webhooks(desk: DeskGiven, client_id: Client) -> Response[bytes]:
    """The team's webhooks with the numbers of their deliveries."""
    found = await notifying.webhooks_of(desk.context, await _team(desk, client_id))
    return answer(WebhooksOut([_webhook(one) for one in found], list(CHOSEN_TYPES)))


@post("/teams/{client_id:str}/webhooks", opt={SCOPE: PUBLIC})
async def add_webhook(desk: DeskGiven, client_id: Client, data: JSONBody[WebhookIn]) -> Response[bytes]:
    """A new webhook; the answer holds its signing secret."""
    made, secret = await notifying.add(
        desk.context, await _team(desk, client_id), url=data.url, form=data.format, types=data.types
    )
    return answer(SigningSecretOut(made.id, secret.reveal()), status=201)


@patch("/teams/{client_id:str}/webhooks/{webhook:str}", status_code=204, opt={SCOPE: PUBLIC})
async def change_webhook(desk: DeskGiven, client_id: Client, webhook: Webhook, data: JSONBody[WebhookChangeIn]) -> None:
    """Switches a webhook on or off."""
    await notifying.change(desk.context, await _team(desk, client_id), webhook, is_active=data.is_active)


@delete("/teams/{client_id:str}/webhooks/{webhook:str}", status_code=204, opt={SCOPE: PUBLIC})
async def remove_webhook(desk: DeskGiven, client_id: Client, webhook: Webhook) -> None:
    """Takes a webhook away with its log."""
    await notifying.remove(desk.context, await _team(desk, client_id), webhook)


@post("/teams/{client_id:str}/webhooks/{webhook:str}/test", status_code=204, opt={SCOPE: PUBLIC})
async def test_webhook(desk: DeskGiven, client_id: Client, webhook: Webhook) -> None:
    """Sends a message that says that it is a test."""
    await notifying.test_fire(desk.context, await _team(desk, client_id), webhook)


@post("/teams/{client_id:str}/webhooks/{webhook:str}/secret", opt={SCOPE: PUBLIC})
async def rotate_signing(desk: DeskGiven, client_id: Client, webhook: Webhook) -> Response[bytes]:
    """A new signing secret; for a day messages are signed with the one before as well."""
    made, secret = await notifying.rotate(desk.context, await _team(desk, client_id), webhook, overlap_ms=OVERLAP_MS)
    return answer(SigningSecretOut(made.id, secret.reveal()), status=201)


@post("/teams/{client_id:str}/webhooks/{webhook:str}/replay", status_code=200, opt={SCOPE: PUBLIC})
async def replay_dead(desk: DeskGiven, client_id: Client, webhook: Webhook) -> Response[bytes]:
    """Sends everything again that could not be delivered."""
    return answer(ReplayedOut(await notifying.replay(desk.context, await _team(desk, client_id), webhook)))


@get("/teams/{client_id:str}/webhooks/{webhook:str}/deliveries", opt={SCOPE: PUBLIC})
async def list_deliveries(desk: DeskGiven, client_id: Client, webhook: Webhook) -> Response[bytes]:
    """The last messages of a webhook, newest first."""
    found = await notifying.deliveries(desk.context, await _team(desk, client_id), webhook, limit=DELIVERIES_SHOWN)
    return answer(
        [
            DeliveryOut(
                id=one.id,
                message=one.message,
                type=one.type,
                at=one.happened_at,
                state=one.state,
                tries=one.tries,
                due_at=one.due_at,
                done_at=one.done_at,
            )
            for one in found
        ]
    )


@get("/teams/{client_id:str}/visits", opt={SCOPE: PUBLIC})
async def list_visits(desk: DeskGiven, client_id: Client) -> Response[bytes]:
    """How far visits of the team's Connect page came in the last 30 days."""
    team = await administer.team_info(desk.context, client_id)
    found = await connecting.visits(desk.context, team, days=VISITS_DAYS)
    return answer([ReachedOut(one.step, one.venue, one.outcome, one.visits) for one in found])


async def _team(desk: Desk, client_id: str) -> Principal:
    """The operator as the team's own administrator. Raises: NotFound."""
    team = await administer.team_info(desk.context, client_id)
    return Principal(team=team.id, user=None, actor=ACTOR, scopes=frozenset({"admin"}))


def _webhook(found: WebhookView) -> WebhookOut:
    return WebhookOut(
        id=found.id,
        url=found.url,
        format=found.format,
        types=list(found.types),
        is_active=found.is_active,
        off_reason=found.off_reason,
        earlier_secret_until=found.earlier_secret_until,
        created_at=found.created_at,
        counts={str(state): count for state, count in found.counts.items()},
    )


ROUTER = Router(
    "/console/api",
    route_handlers=[
        make_link,
        list_webhooks,
        add_webhook,
        change_webhook,
        remove_webhook,
        test_webhook,
        rotate_signing,
        replay_dead,
        list_deliveries,
        list_visits,
    ],
    guards=[admission.guard],
    dependencies=SIGNED_IN,
    include_in_schema=False,
)
