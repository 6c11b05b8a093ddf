"""Signatures as every library of Standard Webhooks makes and checks them; what is changed, old or foreign is refused."""

import base64

import pytest

from omnifolio.model.errors import SignatureInvalid
from omnifolio.model.secrets import Secret
from omnifolio.notify.signatures import TOLERANCE_S, secret_of, signed, verify

VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID, VECTOR_AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The vector with which the libraries of the standard's authors test themselves."""

KEY = b"k" * 32
SECRET = secret_of(KEY, "a" * 24, 1).reveal()
HEADERS = signed([Secret(SECRET)], message="msg_1", at_s=VECTOR_AT, body=b"body")


def test_the_standards_own_vector() -> None:
    made = signed([Secret(VECTOR_SECRET)], message=VECTOR_ID, at_s=VECTOR_AT, body=VECTOR_BODY)
    assert made["webhook-signature"] == VECTOR_SIGNATURE
    assert verify(VECTOR_BODY, made, VECTOR_SECRET, now_s=VECTOR_AT) == VECTOR_ID


def test_a_secret_has_32_bytes_and_follows_from_key_webhook_and_version() -> None:
    assert SECRET.startswith("whsec_")
    assert len(base64.b64decode(SECRET.removeprefix("whsec_"))) == 32
    others = {
        secret_of(key, hook, n).reveal() for key, hook, n in ((b"x" * 32, "a" * 24, 1), (KEY, "b" * 24, 1), (KEY, "a" * 24, 2))
    }
    assert len({SECRET, *others}) == 4


def test_one_of_several_secrets_and_one_of_several_signatures_is_enough() -> None:
    other = secret_of(KEY, "a" * 24, 2)
    both = signed([other, Secret(SECRET)], message="msg_1", at_s=VECTOR_AT, body=b"body")
    for secrets in ((SECRET,), (other.reveal(),), (VECTOR_SECRET, SECRET)):
        assert verify(b"body", both, *secrets, now_s=VECTOR_AT) == "msg_1"
    unknown = {**both, "webhook-signature": "v1a,xxxx " + both["webhook-signature"]}
    assert verify(b"body", unknown, SECRET, now_s=VECTOR_AT) == "msg_1"


def test_header_names_may_be_written_in_any_case() -> None:
    assert verify(b"body", {name.title(): value for name, value in HEADERS.items()}, SECRET, now_s=VECTOR_AT) == "msg_1"


@pytest.mark.parametrize("shift_s", [-TOLERANCE_S, TOLERANCE_S])
def test_a_clock_may_differ_by_five_minutes(shift_s: int) -> None:
    assert verify(b"body", HEADERS, SECRET, now_s=VECTOR_AT + shift_s) == "msg_1"


@pytest.mark.parametrize(
    ("body", "changed", "secret", "now_s"),
    [
        (b"Body", {}, SECRET, VECTOR_AT),
        (b"", {}, SECRET, VECTOR_AT),
        (b"body", {"webhook-id": "msg_2"}, SECRET, VECTOR_AT),
        (b"body", {"webhook-timestamp": str(VECTOR_AT + 1)}, SECRET, VECTOR_AT),
        (b"body", {"webhook-timestamp": f"{VECTOR_AT} "}, SECRET, VECTOR_AT),
        (b"body", {"webhook-timestamp": "٣"}, SECRET, VECTOR_AT),
        (b"body", {"webhook-timestamp": ""}, SECRET, VECTOR_AT),
        (b"body", {"webhook-signature": ""}, SECRET, VECTOR_AT),
        (b"body", {"webhook-signature": "v1,"}, SECRET, VECTOR_AT),
        (b"body", {"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v2,")}, SECRET, VECTOR_AT),
        (b"body", {"webhook-signature": HEADERS["webhook-signature"][3:]}, SECRET, VECTOR_AT),
        (b"body", {"webhook-signature": "ä" + HEADERS["webhook-signature"]}, SECRET, VECTOR_AT),
        (b"body", {}, VECTOR_SECRET, VECTOR_AT),
        (b"body", {}, "whsec_not base64", VECTOR_AT),
        (b"body", {}, SECRET, VECTOR_AT + TOLERANCE_S + 1),
        (b"body", {}, SECRET, VECTOR_AT - TOLERANCE_S - 1),
    ],
)
def test_what_is_changed_foreign_or_old_is_refused(body: bytes, changed: dict[str, str], secret: str, now_s: int) -> None:
    with pytest.raises(SignatureInvalid):
        verify(body, {**HEADERS, **changed}, secret, now_s=now_s)


def test_without_a_secret_or_headers_nothing_is_genuine() -> None:
    with pytest.raises(SignatureInvalid):
        verify(b"body", HEADERS, now_s=VECTOR_AT)
    with pytest.raises(SignatureInvalid):
        verify(b"body", {}, SECRET)
