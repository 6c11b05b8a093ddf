"""What a key of BloFin may do; all else of BloFin is read by ccxt's own methods.

Source: docs.blofin.com, user/query-apikey: `readOnly` is 1 for a key that can only read and 0 for one that may do more, and what
more is not told there. A key without an end has an `expireTime` of 0.
"""

from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import decode, expect_dict
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.times import from_ms

READ_ONLY, READ_WRITE = "readOnly", "readWrite"
NEVER = (None, "", "0", 0)


def rights(evidence: Evidence) -> Rights:
    """What the asking key may do. Raises: VenueBadResponse."""
    answer = expect_dict(decode(evidence), evidence, where="the answer")
    info = expect_dict(answer.get("data"), evidence, where="data")
    addresses, flag, expires = info.get("ips"), str(info.get("readOnly")), info.get("expireTime")
    try:
        expires_at = None if expires in NEVER else from_ms(expires)
    except InvalidField as error:
        raise VenueBadResponse(f"{evidence.request}: expireTime: {error.message}") from None
    return Rights(
        granted=(READ_ONLY,) if flag == "1" else (READ_WRITE,),
        ip_restricted=any(addresses) if isinstance(addresses, list) else None,
        expires_at=expires_at,
        is_known=flag in ("0", "1"),
    )
