"""How every call ended: a line in the log, one more in the figures, a record; never an argument or a value."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from moothall.calls.call import Call
from moothall.calls.meter import CANCELLED, OK, UNKNOWN, CallMeter
from moothall.calls.ports import CallFacts
from moothall.calls.recording import Recording
from moothall.capability.entry import Entry
from moothall.errors import InternalError, MoothallError
from moothall.policy.decision import PermissionResult
from moothall.telemetry import logger
from moothall.tracing import LOGGED

_log = logger("calls")
_LINE: Final = "%s %s by %s at %s: %s in %.6f s"


class Audit:
    """Writes how calls ended (rows TPL-45, TPL-46, ENV-08)."""

    def __init__(self, meter: CallMeter, recording: Recording) -> None:
        self.meter = meter
        self._recording = recording

    def ended(self, call: Call, error: MoothallError | None, seconds: float) -> None:
        """A call has its answer."""
        self._write(call, OK if error is None else error.envelope_code, seconds)

    def cancelled(self, call: Call, seconds: float) -> None:
        """Nobody waits for the answer any more."""
        self._write(call, CANCELLED, seconds)

    def refused(self, name: str, facts: CallFacts, error: MoothallError, seconds: float) -> None:
        """A call was not admitted; `name` is empty where there is no such capability."""
        name = name or UNKNOWN
        self.meter.capabilities.of(name).add(facts.door, error.envelope_code, seconds)
        _line(facts.request_id, name, facts, error.envelope_code, seconds)

    def denied(self, entry: Entry, facts: CallFacts, decision: PermissionResult) -> None:
        """A policy does not allow a call: why, for the record only."""
        who, rule, reason = facts.principal.id, decision.policy, decision.reason
        _log.info("%s %s denied to %s by %s: %s", facts.request_id, entry.id, who, rule, reason)
        self._recording.denied(entry, facts, decision)

    def _write(self, call: Call, outcome: str, seconds: float) -> None:
        facts, name = call.facts, call.name
        self.meter.capabilities.of(name).add(facts.door, outcome, seconds)
        spec = call.entry.spec
        self._recording.ended(call, outcome)
        where = _server(spec.remote, call.request_id, seconds) if spec.source == "mcp" and spec.remote else None
        _line(call.request_id, name, facts, outcome, seconds, where, call)


def _server(remote: Mapping[str, str], request_id: str, seconds: float) -> dict[str, object]:
    """What machines read of a call that a tool of an MCP server answers (rows TPL-10, TPL-12)."""
    tool = {"server": remote.get("server", ""), "tool": remote.get("method", "")}
    return {**tool, "request_id": request_id, "seconds": seconds}


def _line(
    request_id: str,
    name: str,
    facts: CallFacts,
    outcome: str,
    seconds: float,
    where: Mapping[str, object] | None = None,
    call: Call | None = None,
) -> None:
    """Write the line of a call, without a search for the code that does: that would cost more than the call."""
    if _log.isEnabledFor(logging.INFO):
        extra: dict[str, object] = {**(where or {})}
        if facts.parent:
            extra["parent"] = facts.parent
        if call is not None:
            extra[LOGGED] = call.trace[3:35]
        values = (request_id, name, facts.principal.id, facts.door, outcome, seconds)
        _log.handle(_log.makeRecord(_log.name, logging.INFO, __name__, 0, _LINE, values, None, extra=extra))


def concealed(error: BaseException, name: str, request_id: str) -> InternalError:
    """The error that a caller sees in place of one that nobody raised for its eyes (row ENV-04).

    What happened goes to the log, under the id of the request; the cause stays attached for callers in this process.
    """
    inner = hidden(error)
    log_cause(inner, name, request_id)
    return inner


def hidden(error: BaseException) -> InternalError:
    """The same, where somebody else writes it down."""
    inner = InternalError("internal error")
    inner.__cause__ = error
    return inner


def log_cause(error: MoothallError, name: str, request_id: str) -> None:
    """Write down what is behind an internal error; nothing is behind any other."""
    cause = error.__cause__
    if isinstance(error, InternalError) and cause is not None:
        _log.error("%s %s failed: %s", request_id, name, type(cause).__name__, exc_info=cause)
