"""Logs: to stderr, as lines for people or JSON for machines, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

from moothall.canonical import dumps
from moothall.clock import rfc3339

_ROOT: Final = "moothall"
_MASK: Final = "***"

_NAMES: Final = r"authori[sz]ation|cookie|passw(?:or)?d|secret|token|(?:api|admin|private|access)[_-]?key|credential"
_SCHEMES: Final = r"bearer|basic|digest|dpop"
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_SECRETS: Final = (
    re.compile(r"(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL),
    re.compile(rf"(?P<keep>\b(?:{_SCHEMES})\s+)[\w.~+/=-]{{6,}}", re.IGNORECASE),
    re.compile(r"(?P<keep>://[^\s:/@]*:)[^\s@/]+(?=@)"),
    re.compile(
        rf"(?P<keep>(?:{_NAMES})[\w-]*[\"']?\s*[:=]\s*)"
        rf"(?:\"[^\"]*\"|'[^']*'|(?!(?:{_SCHEMES})\s)[^\s,;&}}\])]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<keep>\b(?:sk|pk|xox[abp]|gh[pousr])[-_])[\w-]{8,}"),
    re.compile(r"(?P<keep>\b)eyJ[\w-]+\.[\w-]+\.[\w-]+"),
)

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def logger(name: str) -> logging.Logger:
    """The logger of a room, below ``moothall``."""
    return logging.getLogger(f"{_ROOT}.{name}")


def configure(level: str = "INFO", *, json: bool = False) -> None:
    """Send moothall's logs from `level` upwards to stderr; calling it again replaces what was set before.

    Raises:
        ValueError: `logging` knows no such level.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if json else LineFormatter())
    root = logging.getLogger(_ROOT)
    root.setLevel(level.upper())
    root.handlers[:] = [handler]
    root.propagate = False


def redact(text: str) -> str:
    """Return `text` with passwords, tokens, keys and the like masked; names stay, values go."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<keep>{_MASK}", text)
    return text


class LineFormatter(logging.Formatter):
    """``<time> <LEVEL> <logger> <message>``, redacted, with the stack below it when there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the base's
        """The time of the record, RFC 3339 in UTC."""
        return rfc3339(datetime.fromtimestamp(record.created, UTC))

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        return redact(super().format(record))


class JsonFormatter(LineFormatter):
    """One JSON object per record: time, level, logger, message, what was given as `extra`, and the stack."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line of JSON."""
        row: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                row[name] = _MASK if _SECRET_NAME.search(name) else redact(str(value))
        if record.exc_info:
            row["exception"] = redact(self.formatException(record.exc_info))
        return dumps(row).decode()
