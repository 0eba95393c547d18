"""The outcome of an approved call in the form of the door at which its caller asks for it."""

from __future__ import annotations

from typing import Any

from moothall.calls.call import LOCAL, Call
from moothall.calls.form import Form
from moothall.calls.outcome import Outcome
from moothall.policy.redaction import redacted


async def given(call: Call, form: Form, outcome: Outcome) -> Any:  # noqa: ANN401 - of the capability's type
    """The value, as the call itself would have given it; one by one, where it is asked for like that.

    What its caller may see is decided anew; what it was not to see when the call was made, it is not shown either.

    Raises:
        MoothallError: the call failed.
    """
    if outcome.error is not None:
        raise outcome.error
    redact = call.redact | outcome.redact
    if redact:
        data = redacted(outcome.data, redact)
    else:
        data = form.decode(outcome.data) if call.facts.door == LOCAL else outcome.data
    if call.sink is None or not call.entry.streams:
        return data
    for value in data:
        await call.sink(value)
    return None
