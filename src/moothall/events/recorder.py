"""The specification's name for the event log (spec C, 2.2): it records events and serves the streams."""

from __future__ import annotations

from moothall.events.log import EventLog as EventRecorder

__all__ = ["EventRecorder"]
