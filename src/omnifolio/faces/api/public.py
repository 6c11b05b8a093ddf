"""What needs no token: getting one, the providers, public facts of a team, and whether the service is up."""

from typing import Annotated, Literal

from litestar import Response, Router, get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from omnifolio import __version__
from omnifolio.app import administer, authenticate
from omnifolio.faces.api.admission import COST, PUBLIC, SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven
from omnifolio.faces.api.wire import HealthOut, ProviderOut, TeamOut, TokenIn, TokenOut
from omnifolio.model.errors import InvalidField
from omnifolio.model.secrets import Secret

TOKEN_COST = 2
"""Asking for tokens empties the bucket twice as fast: it is where secrets would be guessed."""

LoginName = Annotated[
    str | None,
    HeaderParameter(name="loginName", description="The team's own id of the user: up to 255 printable ASCII characters."),
]
Name = Annotated[str, PathParameter(description="The provider's name or an alternate name.", max_length=100)]
Category = Annotated[Literal["exchanges", "wallets", "blockchains"] | None, QueryParameter(description="Only these providers.")]
ClientId = Annotated[str | None, QueryParameter(name="client_id", max_length=200, description="The team's public id.")]


@post(
    "/v1/auth/token",
    tags=["auth"],
    summary="Get a user's token with a team's secret",
    status_code=200,
    opt={SCOPE: PUBLIC, COST: TOKEN_COST},
    responses=responses(TokenOut, refusals=(401, 403)),
)
async def issue_token(desk: DeskGiven, data: JSONBody[TokenIn], login_name: LoginName = None) -> Response[bytes]:
    """A token for the user of that `loginName`."""
    if not login_name:
        raise InvalidField("loginName: the header is missing; give the id that your application has for this user")
    token = await authenticate.token_for(desk.context, client_id=data.clientId, secret=Secret(data.secret), login_name=login_name)
    return answer(TokenOut(token=token))


@get(
    "/v1/providers",
    tags=["providers"],
    summary="List what can be connected",
    opt={SCOPE: PUBLIC},
    responses=responses(list[ProviderOut]),
)
async def list_providers(desk: DeskGiven, category: Category = None) -> Response[bytes]:
    """What can be connected here."""
    return answer(desk.providers.listed(category))


@get(
    "/v1/providers/{name:str}",
    tags=["providers"],
    summary="Get a provider",
    opt={SCOPE: PUBLIC},
    responses=responses(ProviderOut, refusals=(404,)),
)
async def get_provider(desk: DeskGiven, name: Name) -> Response[bytes]:
    """One provider."""
    return answer(desk.providers.named(name))


@get(
    "/v1/teams/info",
    tags=["teams"],
    summary="Get public facts of a team",
    opt={SCOPE: PUBLIC},
    responses=responses(TeamOut, refusals=(404,)),
)
async def get_team(desk: DeskGiven, client_id: ClientId = None) -> Response[bytes]:
    """What Connect needs to know of a team."""
    if client_id is None:
        raise InvalidField("client_id: expected the id of a team")
    team = await administer.team_info(desk.context, client_id)
    return answer(
        TeamOut(
            name=team.name,
            redirect_uris=list(team.redirect_uris),
            deactivated=not team.is_active,
            features=list(team.features),
            instructions=[],
            preferences={"providers": {}},
            logo=None,
        )
    )


@get(
    "/health", tags=["service"], summary="See whether the service can answer", opt={SCOPE: PUBLIC}, responses=responses(HealthOut)
)
async def get_health(desk: DeskGiven) -> Response[bytes]:
    """Answers when the database does."""
    await desk.context.store.glance("SELECT 1")
    return answer(HealthOut(version=__version__))


ROUTER = Router("/", route_handlers=[issue_token, list_providers, get_provider, get_team, get_health])
