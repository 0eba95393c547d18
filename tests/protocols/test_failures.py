from __future__ import annotations

import pytest

from moothall import errors
from moothall.error_table import ENVELOPE_CODES, ERRORS
from moothall.messages import LANGS, explain
from moothall.protocols.failures import error_of_status, remote_error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("VALIDATION_ERROR", errors.ValidationError),
        ("UNAUTHENTICATED", errors.Unauthenticated),
        ("PERMISSION_DENIED", errors.PermissionDeniedError),
        ("NOT_FOUND", errors.ServiceNotFoundError),
        ("METHOD_NOT_ALLOWED", errors.MethodNotAllowed),
        ("CONFLICT", errors.Conflict),
        ("GONE", errors.Gone),
        ("TOO_LARGE", errors.PayloadTooLarge),
        ("UNSUPPORTED_MEDIA_TYPE", errors.UnsupportedMediaType),
        ("RATE_LIMITED", errors.RateLimited),
        ("APPROVAL_PENDING", errors.ApprovalPending),
        ("UNAVAILABLE", errors.Unavailable),
        ("TIMEOUT", errors.CallTimeout),
        ("INTERNAL_ERROR", errors.UpstreamError),
        ("UPSTREAM_ERROR", errors.UpstreamError),
        ("UPSTREAM_INVALID", errors.UpstreamError),
        ("E002", errors.DemandNotFound),
        ("ANYTHING", errors.UpstreamError),
        (None, errors.UpstreamError),
        ({}, errors.UpstreamError),
    ],
)
def test_a_code_of_the_far_side_is_our_error(code: object, kind: type[errors.MoothallError]) -> None:
    error = remote_error(code)
    assert type(error) is kind
    assert all(explain(error, lang).why for lang in LANGS)


def test_every_code_that_we_send_comes_back_as_itself() -> None:
    for code in ERRORS:
        shown = ENVELOPE_CODES.get(code, code)
        back = remote_error(shown).envelope_code
        assert back in {shown, "UPSTREAM_ERROR"}, code


def test_only_details_in_the_right_form_are_taken() -> None:
    faults = [{"loc": ["a", 0, None], "type": "missing", "msg": "their words", "input": "secret"}, 5]
    error = remote_error("VALIDATION_ERROR", {"errors": faults, "more": "x"})
    assert error.details == {"errors": [{"loc": ["a", 0], "type": "missing"}]}
    assert remote_error("RATE_LIMITED", {"retry_after": 3}).details == {"retry_after": 3.0}
    for value in (-1, True, "soon", float("inf"), float("nan"), 10**400, "9" * 400, None):
        assert remote_error("RATE_LIMITED", {"retry_after": value}).details == {}
    assert remote_error("CONFLICT", {"errors": faults}).details == {}
    assert remote_error("CONFLICT", [1]).details == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ValidationError),
        (401, errors.Unauthenticated),
        (403, errors.PermissionDeniedError),
        (404, errors.ServiceNotFoundError),
        (418, errors.UpstreamInvalid),
        (302, errors.UpstreamError),
        (429, errors.RateLimited),
        (500, errors.UpstreamError),
        (502, errors.UpstreamError),
        (503, errors.Unavailable),
        (504, errors.CallTimeout),
    ],
)
def test_a_status_alone_is_an_error_too(status: int, kind: type[errors.MoothallError]) -> None:
    assert type(error_of_status(status)) is kind


def test_a_status_may_say_when_to_come_again() -> None:
    assert error_of_status(429, "7").details == {"retry_after": 7.0}
    assert error_of_status(503, "Wed, 21 Oct 2026 07:28:00 GMT").details == {}
