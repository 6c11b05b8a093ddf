"""Passkeys of the owner: what a browser is asked to sign, and whether what comes back is right (WebAuthn level 3).

The library checks the ceremony; a challenge is used once, and a passkey belongs to the host name under which it was made.
"""

import base64
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from omnifolio.model.errors import InvalidField, NotSignedIn
from omnifolio.model.secrets import Secret
from omnifolio.tenancy.console import Method

RP_NAME = "Omnifolio"
USER_NAME = "owner"
USER_HANDLE = b"omnifolio-owner"
ANSWER_BYTES_MAX = 16_384

logging.getLogger("fido2").setLevel(logging.WARNING)  # at INFO it writes down which passkey was used


class Made(Struct, frozen=True):
    """A passkey that was just made: its id, its public key as the library keeps it, and its counter."""

    handle: bytes
    public: bytes
    uses: int


def registration(origin: str, challenge: Secret, known: Sequence[Method]) -> Mapping[str, Any]:
    """What `navigator.credentials.create` is given, in WebAuthn's JSON form. The passkey must verify its user."""
    from fido2.webauthn import PublicKeyCredentialUserEntity, ResidentKeyRequirement, UserVerificationRequirement

    options, _ = _server(origin).register_begin(
        PublicKeyCredentialUserEntity(name=USER_NAME, id=USER_HANDLE, display_name=USER_NAME),
        credentials=[_attested(method) for method in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=_bytes(challenge),
    )
    return dict(options.public_key)


def registered(origin: str, answer: bytes) -> tuple[Secret, Made]:
    """The challenge that a new passkey has answered, and the passkey. Raises: InvalidField for an answer that is not right."""
    response = _parsed(answer)
    try:
        challenge = _challenge_of(response)
        data = _server(origin).register_complete(_state(challenge), response)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidField("passkey: the browser's answer does not belong to this page; try again") from error
    assert data.credential_data is not None
    return challenge, Made(data.credential_data.credential_id, bytes(data.credential_data), data.counter)


def question(origin: str, challenge: Secret, known: Sequence[Method]) -> Mapping[str, Any]:
    """What `navigator.credentials.get` is given, in WebAuthn's JSON form."""
    from fido2.webauthn import UserVerificationRequirement

    options, _ = _server(origin).authenticate_begin(
        [_attested(method) for method in known] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=_bytes(challenge),
    )
    return dict(options.public_key)


def proved(origin: str, answer: bytes, known: Sequence[Method]) -> tuple[Secret, Method, int]:
    """The challenge that was answered, by which passkey, and its counter now. Raises: NotSignedIn."""
    from fido2.webauthn import AuthenticationResponse

    response = _parsed(answer)
    try:
        challenge = _challenge_of(response)
        found = _server(origin).authenticate_complete(_state(challenge), [_attested(method) for method in known], response)
        uses = AuthenticationResponse.from_dict(response).response.authenticator_data.counter
    except (ValueError, KeyError, TypeError) as error:
        raise NotSignedIn("this passkey is not registered here; sign in with a link from omnifolio owner link") from error
    return challenge, next(method for method in known if method.handle == found.credential_id), uses


def _server(origin: str) -> Any:
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialRpEntity

    host = urlsplit(origin).hostname or ""
    return Fido2Server(PublicKeyCredentialRpEntity(name=RP_NAME, id=host), verify_origin=lambda given: given == origin)


def _attested(method: Method) -> Any:
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(method.data)


def _parsed(answer: bytes) -> dict[str, Any]:
    if len(answer) > ANSWER_BYTES_MAX:
        raise InvalidField(f"passkey: the answer has more than {ANSWER_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.DecodeError:
        raise InvalidField("passkey: expected the browser's answer as JSON") from None


def _challenge_of(response: Mapping[str, Any]) -> Secret:
    """The challenge that the signed client data repeat; whether we gave it is the caller's question."""
    data = response["response"]["clientDataJSON"]
    found = msgspec.json.decode(_decoded(data), type=dict[str, Any])
    return Secret(_decoded(found["challenge"]).decode("ascii"))


def _state(challenge: Secret) -> Mapping[str, Any]:
    from fido2.webauthn import UserVerificationRequirement

    encoded = base64.urlsafe_b64encode(_bytes(challenge)).rstrip(b"=").decode()
    return {"challenge": encoded, "user_verification": UserVerificationRequirement.REQUIRED}


def _bytes(challenge: Secret) -> bytes:
    return challenge.reveal().encode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
