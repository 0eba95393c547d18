"""Messages as lines of text, such as standard input has them: read as strictly as a body, each answered on its own."""

from __future__ import annotations

from mcp_types import INVALID_REQUEST, ErrorData

from moothall.canonical import strict_json
from moothall.capability.spec import JsonObject
from moothall.errors import UsageError, ValidationError
from moothall.protocols.mcp.wire import PARSE_ERROR, read


class UnfitLine(ValueError):
    """A line is no message; `error` is what its sender is told, under the id ``null``."""

    def __init__(self, error: ErrorData) -> None:
        super().__init__(error.message)
        self.error = error


def read_line(line: str) -> JsonObject:
    """Read a line, which is one message.

    Raises:
        UnfitLine: it is no JSON, could mean two things, or is no message of JSON-RPC 2.0.
    """
    try:
        message: JsonObject = strict_json(line.encode())
        read(message)
    except (UnicodeEncodeError, ValidationError) as error:
        raise UnfitLine(ErrorData(code=PARSE_ERROR, message="the line is no JSON")) from error
    except UsageError as error:
        told = "the line is no message of JSON-RPC 2.0"
        raise UnfitLine(ErrorData(code=INVALID_REQUEST, message=told)) from error
    return message
