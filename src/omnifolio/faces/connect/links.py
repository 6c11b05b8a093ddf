"""`POST /v1/link-tokens`: a token that opens Connect once, made by a team's server for one of its users."""

from typing import Annotated

from litestar import Response, Router, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from omnifolio.app import connecting
from omnifolio.faces.api.admission import COST, SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven

LINK_COST = 2
NAMES_MAX = 200

Name = Annotated[str, Meta(max_length=100)]
Names = Annotated[list[Name], Meta(max_length=NAMES_MAX)]
Url = Annotated[str, Meta(max_length=2_000)]


class LinkTokenIn(Struct, frozen=True, kw_only=True):
    """What the page may do, for the user whose token asks. Without origin and redirect_uri it is a page of its own, for a link.

    `origin` is the page that will hear of the outcome, `redirect_uri` the address to return to; both exactly as registered.
    `account` is one to reconnect, `provider` one to begin with; `providers`, `disabled_providers` and `categories` say what may
    be chosen at all. `lang` is en, es, fr, it or de, `theme` light, dark or auto.
    """

    origin: Url | None = None
    redirect_uri: Url | None = None
    state: Url | None = None
    provider: Name | None = None
    account: Name | None = None
    providers: Names | None = None
    disabled_providers: Names | None = None
    categories: Names | None = None
    lang: Name | None = None
    theme: Name | None = None
    multi_wallet: bool = False
    sync_nfts: bool = True
    demo: bool = False

    def query(self) -> dict[str, str]:
        """The same as parameters of an address."""
        listed = {
            "providers": self.providers,
            "disabled_providers": self.disabled_providers,
            "provider_categories": self.categories,
        }
        said = {
            "origin": self.origin,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "lang": self.lang,
            "theme": self.theme,
        }
        flags = {"multi_wallet": self.multi_wallet, "sync_nfts": self.sync_nfts, "demo": self.demo}
        return {
            **{name: value for name, value in said.items() if value},
            **{name: ",".join(values) for name, values in listed.items() if values},
            **{name: str(value).lower() for name, value in flags.items()},
        }


class LinkTokenOut(Struct, frozen=True, kw_only=True):
    """The token, shown this once; the address that it opens; and until when, in epoch milliseconds."""

    link_token: str
    url: str
    expires_at: int


@post(
    "/v1/link-tokens",
    tags=["connect"],
    summary="Make a token that opens Connect once",
    status_code=201,
    opt={SCOPE: "link", COST: LINK_COST},
    responses=responses(LinkTokenOut, status=201, refusals=(401, 403), text="Valid for 30 minutes and one opening."),
)
async def make_link_token(desk: DeskGiven, session: SessionGiven, data: JSONBody[LinkTokenIn]) -> Response[bytes]:
    """A token for the user whose token asks."""
    made = await connecting.make_link(desk.context, session.principal, data.query(), provider=data.provider, account=data.account)
    url = connecting.address_of(desk.context.settings, made.token)
    return answer(LinkTokenOut(link_token=made.token.reveal(), url=url, expires_at=made.expires_at), status=201)


ROUTER = Router("/", route_handlers=[make_link_token])
