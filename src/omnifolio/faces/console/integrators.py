"""For who integrates: teams, their keys, where Connect may return to and be framed, and the last requests."""

from typing import Annotated

from litestar import Response, Router, delete, get, patch, post
from litestar.params import JSONBody, PathParameter

from omnifolio.app import administer
from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.faces.api.answers import answer
from omnifolio.faces.api.given import DeskGiven
from omnifolio.faces.console import admission
from omnifolio.faces.console.door import OPERATOR, SIGNED_IN
from omnifolio.faces.console.wire import (
    NewSecretOut,
    RequestOut,
    RequestsOut,
    RotateIn,
    SecretOut,
    TeamChangeIn,
    TeamIn,
    TeamOut,
)
from omnifolio.model.clock import DAY_MS
from omnifolio.model.errors import InvalidField
from omnifolio.tenancy.teams import Team, TeamSecret

OVERLAP_DAYS_MAX = 90
Client = Annotated[str, PathParameter(max_length=40)]


@get("/teams", opt={SCOPE: PUBLIC})
async def list_teams(desk: DeskGiven) -> Response[bytes]:
    """Every team with what may be shown of its secrets."""
    owner = await administer.owner_of(desk.context)
    found = await administer.teams_with_secrets(desk.context, OPERATOR)
    return answer([_team(team, secrets, is_owner=team.id == owner.team.id) for team, secrets in found])


@post("/teams", opt={SCOPE: PUBLIC})
async def create_team(desk: DeskGiven, data: JSONBody[TeamIn]) -> Response[bytes]:
    """A new team; the answer holds its secret, this once."""
    team, secret = await administer.create_team(
        desk.context, OPERATOR, name=data.name, redirect_uris=data.redirect_uris, origins=data.origins
    )
    return answer(NewSecretOut(team.client_id, secret.reveal()), status=201)


@patch("/teams/{client_id:str}", status_code=204, opt={SCOPE: PUBLIC})
async def change_team(desk: DeskGiven, client_id: Client, data: JSONBody[TeamChangeIn]) -> None:
    """Another name, other redirect URIs or origins."""
    await administer.change_team(
        desk.context, OPERATOR, client_id, name=data.name, redirect_uris=data.redirect_uris, origins=data.origins
    )


@delete("/teams/{client_id:str}", status_code=204, opt={SCOPE: PUBLIC})
async def deactivate_team(desk: DeskGiven, client_id: Client) -> None:
    """Refuses the team's secrets and tokens from now on; nothing is deleted."""
    await administer.deactivate_team(desk.context, OPERATOR, client_id)


@post("/teams/{client_id:str}/secrets", opt={SCOPE: PUBLIC})
async def rotate_secret(desk: DeskGiven, client_id: Client, data: JSONBody[RotateIn]) -> Response[bytes]:
    """A new secret, shown this once; the one before goes on for the days that were asked."""
    if not 0 <= data.overlap_days <= OVERLAP_DAYS_MAX:
        raise InvalidField(f"overlap_days: expected 0 to {OVERLAP_DAYS_MAX}")
    secret = await administer.rotate_secret(desk.context, OPERATOR, client_id, overlap_ms=data.overlap_days * DAY_MS)
    return answer(NewSecretOut(client_id, secret.reveal()), status=201)


@delete("/teams/{client_id:str}/secrets/{number:int}", status_code=204, opt={SCOPE: PUBLIC})
async def revoke_secret(desk: DeskGiven, client_id: Client, number: Annotated[int, PathParameter(ge=1)]) -> None:
    """Ends a secret at once."""
    await administer.revoke_secret(desk.context, OPERATOR, client_id, number)


@get("/requests", opt={SCOPE: PUBLIC}, sync_to_thread=False)
def list_requests(desk: DeskGiven) -> Response[bytes]:
    """The last requests to the API."""
    return answer(RequestsOut([RequestOut(*noted) for noted in desk.requests.newest()]))


def _team(team: Team, secrets: list[TeamSecret], *, is_owner: bool) -> TeamOut:
    return TeamOut(
        client_id=team.client_id,
        name=team.name,
        is_active=team.is_active,
        is_owner=is_owner,
        created_at=team.created_at,
        redirect_uris=list(team.redirect_uris),
        origins=list(team.origins),
        secrets=[SecretOut(one.id, one.hint, one.created_at, one.expires_at, one.last_used_at) for one in secrets],
    )


ROUTER = Router(
    "/console/api",
    route_handlers=[list_teams, create_team, change_team, deactivate_team, rotate_secret, revoke_secret, list_requests],
    guards=[admission.guard],
    dependencies=SIGNED_IN,
    include_in_schema=False,
)
