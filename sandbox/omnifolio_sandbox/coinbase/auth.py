"""Who calls Coinbase: a JWT of a CDP key (ES256), bound to one method and path and valid for two minutes.

The `uri` claim is `METHOD host/path`. Only its method and path are compared: the host is the sandbox's own, and the
path may carry the sandbox's prefix, because clients build the claim from the address that they really call.
"""

from typing import Any

import jwt

from omnifolio_sandbox import credentials
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.http import Request

LIFETIME_MAX_S = 120
LEEWAY_S = 2
ISSUERS = {"cdp", "coinbase-cloud"}


class Unauthorized(Exception):
    """The token is missing or wrong; the text says why (the venue itself does not)."""


def holder_of(request: Request, now_ms: int) -> Holder:
    """Whose valid token this request carries.

    Raises: Unauthorized.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise Unauthorized("no bearer token")
    try:
        header = jwt.get_unverified_header(token)
        holder = credentials.coinbase_holder(str(header.get("kid", "")))
        if holder is None:
            raise Unauthorized("unknown key name")
        public = credentials.coinbase_private_key(str(header["kid"])).public_key()
        # Times are judged below, by the server's own clock, which a test may move.
        claims = jwt.decode(
            token,
            public,
            algorithms=["ES256"],
            options={
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "require": ["exp", "nbf", "sub"],
            },
        )
    except jwt.PyJWTError as fault:
        raise Unauthorized(str(fault)) from fault
    _check_claims(request, header, claims, now_ms // 1000)
    return holder


def _check_claims(request: Request, header: dict[str, Any], claims: dict[str, Any], now_s: int) -> None:
    if not header.get("nonce"):
        raise Unauthorized("no nonce in the header")
    if claims["sub"] != header["kid"] or claims.get("iss") not in ISSUERS:
        raise Unauthorized("sub or iss is wrong")
    starts, ends = int(claims["nbf"]), int(claims["exp"])
    if ends <= now_s or starts > now_s + LEEWAY_S or ends - starts > LIFETIME_MAX_S:
        raise Unauthorized("not valid now")
    uri = claims.get("uri")
    if not isinstance(uri, str) or not _is_bound(uri, request):
        raise Unauthorized("uri is of another request")


def _is_bound(uri: str, request: Request) -> bool:
    method, _, address = uri.partition(" ")
    path = "/" + address.partition("://")[2].partition("/")[2] if "://" in address else "/" + address.partition("/")[2]
    return method == request.method and path in {request.path, f"/{request.prefix}{request.path}"}
