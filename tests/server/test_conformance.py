"""Every operation of `/openapi.json`, driven with generated input: no 5xx, and answers that fit their description."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.environment import bare_environment

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
ADMIN_KEY = "conformance-admin-key"
EXAMPLES = 12


@dataclass(frozen=True)
class Target:
    """A served node with one ended negotiation, which makes some of the generated calls meet something."""

    url: str
    known: dict[str, str]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    command = [sys.executable, "-c", "from moothall.cli.main import main; main()", "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command,
        cwd=tmp_path_factory.mktemp("conformance"),
        env={**bare_environment(), "ADMIN_API_KEY": ADMIN_KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            yield Target(url, _negotiated(url))
        finally:
            process.send_signal(signal.SIGTERM)


def _negotiated(url: str) -> dict[str, str]:
    """The ids of a demand that has ended: its stream was read to the end."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        reply = client.post("/api/v1/demand/submit", json={"raw_input": DEMAND, "user_id": "user_alice"}).json()
        client.get(f"/api/v1/events/negotiations/{reply['demand_id']}/stream")
    return {"demand_id": reply["demand_id"], "channel_id": reply["channel_id"], "agent_id": "user_agent_nobody"}


def _called(operation: Any, target: Target, known: dict[str, str]) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: schemathesis.Case) -> None:
        for name, value in known.items():
            if name in case.path_parameters:
                case.path_parameters[name] = value
        case.headers.pop("X-Moothall-Timeout", None)  # whoever allows a call no time gets the 504 it asked for
        # A stream of a demand that goes on stays open; nobody here waits for it.
        response = case.call(headers={"X-Admin-Key": ADMIN_KEY}, timeout=30)
        case.validate_response(response, checks=CHECKS)

    call()


def test_every_operation_answers_as_it_is_described(target: Target) -> None:
    schema = schemathesis.openapi.from_url(f"{target.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        _called(operation, target, {})
        if any(name in operation.path for name in ("{demand_id}", "{channel_id}")):
            _called(operation, target, target.known)
