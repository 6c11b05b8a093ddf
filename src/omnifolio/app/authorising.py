"""Linking by consent: where a browser is sent to, and what its return means. The worker does the rest with what is sealed here.

Every venue has a callback address of its own, so that an answer cannot be taken for another venue's, whether or not the venue
names itself in it (`iss`).
"""

import hmac
import re
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.app.link import Credentials, file_link, kept_fields, renew_link, wake
from omnifolio.app.way_out import base_urls_of, oauth_clients_of
from omnifolio.catalog import oauth
from omnifolio.catalog.oauth import CODE, CONSENT, LINKED_BY, REDIRECT, VERIFIER, OAuthRow
from omnifolio.connect import authorisations
from omnifolio.connect.authorisations import Pending, challenge_of, verifier_of
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import AuthorisationFailed, ConsentDenied, InvalidField, NotFound, OmnifolioError
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.model.settings import Settings
from omnifolio.vault.seal import fingerprint

CALLBACK = "/connect/oauth/callback"
"""Below it, each venue has its own address."""
CODE_LENGTH_MAX = 2_048
_OWN_PATH = re.compile(r"/[A-Za-z0-9_.~-][A-Za-z0-9_.~/-]{0,499}")
_DENIED = frozenset({"access_denied", "consent_required", "interaction_required", "login_required"})


class Finished(Struct, frozen=True, kw_only=True):
    """What became of a consent: its account, or why there is none. `return_to` and `session` are what `begin` was given."""

    return_to: str
    session: str
    account: AccountId | None = None
    error: OmnifolioError | None = None


def redirect_uri(settings: Settings, venue: str) -> str:
    """The address of ours that the operator registers at the venue, exactly as it is written here."""
    return f"{settings.reached_at()}{CALLBACK}/{venue}"


async def begin(
    context: Context,
    principal: Principal,
    *,
    venue: str,
    return_to: str = "",
    session: str = "",
    account: AccountId | None = None,
    name: str | None = None,
    options: dict[str, bool] | None = None,
) -> str:
    """The venue's address of consent, to be opened once within ten minutes. `account` is the one that reconnects.

    `return_to` is a path of this server, or "". Raises: NotFound for a venue without a client here, or somebody else's account;
    InvalidField.
    """
    row, client_id = _venue(context, venue)
    if return_to and not _OWN_PATH.fullmatch(return_to):
        raise InvalidField("return_to: expected a path of this server, such as /connect")
    pending = Pending(
        team=principal.team,
        user=principal.data_user,
        venue=venue,
        account=account,
        session=session,
        return_to=return_to,
        name=name,
        options=options or {},
    )

    def op(conn: Connection) -> str:
        if account is not None and accounts.get(conn, principal, account, context.clock.now()).venue != venue:
            raise InvalidField(f"account: this account is not one at {venue}")
        return authorisations.begin(conn, context.edge.oauth, pending, now=context.clock.now())

    state = await context.store.write(op)
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri(context.settings, venue),
        "scope": row.separator.join(row.scopes),
        "state": state,
        "code_challenge": challenge_of(verifier_of(context.edge.oauth, state)),
        "code_challenge_method": "S256",
        **row.authorize,
    }
    return f"{row.authorize_url}?{urlencode(asked)}"


async def finish(
    context: Context,
    *,
    venue: str,
    state: str,
    code: str | None = None,
    error: str | None = None,
    iss: str | None = None,
    principal: Principal | None = None,
) -> Finished:
    """Files what the venue's answer brings: a new account or new credentials of one, due at once.

    The state is used up whatever follows. `principal` is who must have begun it, where the caller knows that.
    Raises: AuthorisationFailed for a state that is unknown, used, too old, another venue's or another user's.
    """
    key, now = context.edge.oauth, context.clock.now()
    pending = await context.store.write(authorisations.take, key, state, now=now)
    if pending.venue != venue:
        raise AuthorisationFailed("this consent was asked of another venue than the one that answers")
    if principal is not None and (principal.team, principal.user) != (pending.team, pending.user):
        raise AuthorisationFailed("this consent was begun by somebody else")
    try:
        row, _ = _venue(context, venue)
        _check_answer(row, code=code, error=error, iss=iss)
        assert code is not None
        account = await _filed(context, pending, state, code)
    except OmnifolioError as refused:
        return Finished(return_to=pending.return_to, session=pending.session, error=refused)
    await wake(context, pending.principal, account)
    return Finished(return_to=pending.return_to, session=pending.session, account=account)


async def _filed(context: Context, pending: Pending, state: str, code: str) -> AccountId:
    key, venue, who = context.edge.oauth, pending.venue, pending.principal
    offer = context.offers.of(venue)
    credentials = Credentials(
        fields={LINKED_BY: CONSENT},
        secrets={
            CODE: Secret(code),
            VERIFIER: Secret(verifier_of(key, state)),
            REDIRECT: Secret(redirect_uri(context.settings, venue)),
        },
        fingerprint=fingerprint(context.edge.fingerprint, venue, {CONSENT: Secret(state)}),
        hint=CONSENT,
    )

    def op(conn: Connection) -> AccountId:
        now, publication = context.clock.now(), context.edge.publication
        if pending.account is None:
            made = file_link(
                conn,
                who,
                offer,
                credentials,
                name=pending.name,
                options=pending.options,
                publication_key=publication,
                now=now,
            )
            context.note(conn, who, "account.linked", context.ids.wire("account", made))
            return made
        kept = kept_fields(accounts.get(conn, who, pending.account, now), now)
        renewed = replace(credentials, fields={**credentials.fields, **kept})
        renew_link(conn, who, pending.account, offer, renewed, publication_key=publication, now=now)
        context.note(conn, who, "account.relinked", context.ids.wire("account", pending.account))
        return pending.account

    return await context.store.write(op)


def _venue(context: Context, venue: str) -> tuple[OAuthRow, str]:
    """The venue's row as it is asked here, and our client id. Raises: NotFound."""
    client = oauth_clients_of(context.settings).get(venue)
    if client is None:
        raise NotFound("this provider cannot be linked by consent here; enter a read-only key instead")
    return oauth.load(venue).at(base_urls_of(context.settings).get(venue)), client.client_id


def _check_answer(row: OAuthRow, *, code: str | None, error: str | None, iss: str | None) -> None:
    """Raises: AuthorisationFailed for another issuer or an answer without a code; ConsentDenied."""
    if not hmac.compare_digest((iss or "").encode(), row.issuer.encode()):
        raise AuthorisationFailed(f"this answer does not come from {row.id}, which was asked")
    if error is not None:
        if error in _DENIED:
            raise ConsentDenied(f"at {row.id}, access was not allowed; nothing was linked")
        raise AuthorisationFailed(f"{row.id} could not finish the consent; begin again later")
    if not code or len(code) > CODE_LENGTH_MAX:
        raise AuthorisationFailed(f"the answer of {row.id} holds no code")
