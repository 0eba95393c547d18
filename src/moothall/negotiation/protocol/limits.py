"""What a negotiation between two agents may take (rows META-LIMIT-01 to 04). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_PROTOCOL_BYTES: Final = 65_536
MAX_MESSAGE_BYTES: Final = 262_144
MAX_FIX_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one side.

    Attributes:
        max_rounds: ``protocolNegotiation`` messages of both sides together.
        max_protocol_bytes: of a proposal.
        max_message_bytes: of a message or frame.
        negotiation_timeout: seconds until both have agreed.
        message_timeout: seconds for one message of the other side.
        code_generation_timeout: seconds for the other side's code.
        max_llm_calls: of one negotiation, code and tests included.
        max_tokens: of one negotiation; 0: not counted.
        max_fix_rounds: of mending code after an error.
    """

    max_rounds: int = 10
    max_protocol_bytes: int = MAX_PROTOCOL_BYTES
    max_message_bytes: int = MAX_MESSAGE_BYTES
    negotiation_timeout: float = 300.0
    message_timeout: float = 60.0
    code_generation_timeout: float = 60.0
    max_llm_calls: int = 40
    max_tokens: int = 200_000
    max_fix_rounds: int = MAX_FIX_ROUNDS
