"""Logs: to stderr, readable, and without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from moothall.clock import parse_rfc3339
from moothall.telemetry import configure, logger, redact

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger("moothall")
    before = root.handlers[:], root.level, root.propagate
    yield
    root.handlers[:], root.level, root.propagate = before


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {SECRET}",
        f"X-Admin-Key: {SECRET}",
        f"{{'password': '{SECRET}', 'user': 'anna'}}",
        f'{{"api_key": "{SECRET} and more"}}',
        f"POST /x?access_token={SECRET}&page=2",
        f"postgresql://anna:{SECRET}@db.example/test?schema=a",
        f"ANTHROPIC_API_KEY={SECRET}",
        f"private-key: {SECRET}",
        f"Set-Cookie: {SECRET}; Path=/",
        f"client_secret = {SECRET}",
        f"the key is sk-{SECRET}",
        f"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.{SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN EC PRIVATE KEY-----\n{SECRET}",
    ],
)
def test_a_secret_is_masked_in_every_form(line: str) -> None:
    assert SECRET not in redact(line)
    assert "***" in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "run d-1a2b3c4d: 12 offers in, round 2 of 3",
        "GET /api/v1/events/negotiations/d-1a2b3c4d/stream?last_event_id=evt-1a2b3c4d-7 200",
        "sqlite:///data/moothall.db opened, schema at 0001",
        "https://node.example:8420/health/ready",
        "我想在北京办一场AI主题聚会，需要场地和嘉宾",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == line


def test_names_stay_where_values_go() -> None:
    assert redact(f"postgresql://anna:{SECRET}@db.example/test") == "postgresql://anna:***@db.example/test"
    assert redact(f"token={SECRET}&page=2") == "token=***&page=2"


def test_lines_go_to_stderr_with_time_level_and_room(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logger("events").info("%d runs", 3)
    logger("events").debug("unseen")
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    time, level, name, message = line.split(maxsplit=3)
    assert parse_rfc3339(time)
    assert (level, name, message) == ("INFO", "moothall.events", "3 runs")


def test_json_lines_carry_what_was_given_besides(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", json=True)
    logger("server").warning(
        "refused %s", "北京", extra={"run": "d-1a2b3c4d", "admin_key": SECRET, "why": f"token={SECRET}"}
    )
    row = json.loads(capsys.readouterr().err)
    assert parse_rfc3339(row.pop("time"))
    assert row == {
        "level": "WARNING",
        "logger": "moothall.server",
        "message": "refused 北京",
        "run": "d-1a2b3c4d",
        "admin_key": "***",
        "why": "token=***",
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_a_stack_is_shown_without_its_secrets(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    configure("INFO", json=as_json)
    try:
        raise ConnectionError(f"no answer from postgresql://anna:{SECRET}@db.example/test")  # noqa: TRY301 - to be caught
    except ConnectionError:
        logger("storage").exception("gave up")
    err = capsys.readouterr().err
    assert "ConnectionError" in err
    assert "Traceback" in err
    assert SECRET not in err


def test_configuring_again_replaces_what_was_set(capsys: pytest.CaptureFixture[str]) -> None:
    configure("DEBUG")
    configure("warning")
    logger("cli").warning("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure("loud")
