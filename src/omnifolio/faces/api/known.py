"""`/v1/known`: the balances and positions as they were known after any change, whatever has become known since."""

from typing import Annotated

from litestar import Response, Router, get
from litestar.params import QueryParameter

from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.api.shape import wallet_id
from omnifolio.faces.api.wire import KnownBalanceOut, KnownComponentOut, KnownOut, KnownPositionOut
from omnifolio.model.amounts import canonical

SEQ_MAX = 2**62
Sequence = Annotated[
    int | None,
    QueryParameter(
        name="seq",
        ge=0,
        le=SEQ_MAX,
        description="The `v` of an account or the portfolio, or a change's `seq`; the last one by default.",
    ),
]


@get(
    "/known",
    summary="See the balances and positions as they were known after a change",
    opt={SCOPE: "read"},
    responses=responses(KnownOut, refusals=(401, 403)),
)
async def get_known(desk: DeskGiven, session: SessionGiven, seq: Sequence = None) -> Response[bytes]:
    """The same for ever, but for accounts that were removed since."""
    found = await desk.read.known(session.principal, seq)
    return answer(
        KnownOut(
            seq=found.seq,
            at=found.at,
            balances=[
                KnownBalanceOut(
                    account=desk.context.ids.wire("account", row.account),
                    wallet=wallet_id(row.venue, row.wallet),
                    product=row.product,
                    ticker=row.token.ticker,
                    asset_id=row.token.id,
                    amount=canonical(row.amount),
                )
                for row in found.balances
            ],
            positions=[
                KnownPositionOut(
                    account=desk.context.ids.wire("account", row.account),
                    wallet=wallet_id(row.venue, row.wallet),
                    scope=row.scope,
                    kind=row.position.kind,
                    name=row.position.name,
                    size=canonical(row.position.size),
                    size_ticker=row.tokens[row.position.size_token].ticker,
                    entry_price=None if row.position.entry_price is None else canonical(row.position.entry_price),
                    components=[
                        KnownComponentOut(
                            role=part.role,
                            ticker=row.tokens[part.token].ticker,
                            asset_id=part.token,
                            amount=canonical(part.amount),
                        )
                        for part in row.position.components
                    ],
                )
                for row in found.positions
            ],
        )
    )


ROUTER = Router("/v1", tags=["user"], route_handlers=[get_known])
