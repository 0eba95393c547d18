"""Records of changes that are committed already."""

from __future__ import annotations

from moothall.audit.record import AuditRecord, Recorder
from moothall.errors import MoothallError
from moothall.telemetry import logger

_log = logger("audit")


def put_committed(recorder: Recorder, record: AuditRecord) -> None:
    """Hand in the record of a change that was made; where that fails, the log has it.

    Whoever made the change is not told of an error: it would be made again, or taken for not made. `Recorder.check`
    before the change leaves this to a trail that became full, or closed, in between.
    """
    try:
        recorder.put(record)
    except MoothallError as error:
        _log.critical(
            "not on record (%s): %s %s of %s by %s", error, record.kind, record.action, record.resource, record.actor
        )
