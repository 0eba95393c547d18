"""One run of generated code, from its first turn to its value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from moothall.codegen.sandbox.cell import Asked, Cell, Failed, Gave
from moothall.codegen.sandbox.desk import Desk
from moothall.codegen.sandbox.fairness import Ticket
from moothall.codegen.sandbox.port import Departure, HostCall, Ran, Refusal, SandboxLimits, fault
from moothall.codegen.sandbox.stock import Stock, Wanted
from moothall.codegen.sandbox.threads import Outcome
from moothall.codegen.sandbox.values import NotJson, plain
from moothall.errors import MoothallError

log = logging.getLogger(__name__)

_FAILED: Final = Failed("the call failed")
"""What code is told of every failure that nobody worded for it."""


class Run:
    """A run.

    Args:
        desk: gives it its turns.
        stock: gives it its cell.
        call: what ``call`` does inside.

    Attributes:
        cell: once it has begun.
    """

    def __init__(self, desk: Desk, stock: Stock, call: HostCall | None) -> None:
        self._desk = desk
        self._stock = stock
        self._call = call
        self._calls = 0
        self.cell: Cell | None = None

    async def go(self, wanted: Wanted, arguments: Mapping[str, Any], monotonic: Callable[[], float]) -> Ran:
        """Call the wanted function of a module with these arguments.

        Raises:
            SandboxFault: it gave no value.
            MoothallError: what a host call departed with.
        """
        began = monotonic()
        ticket = Ticket(wanted.image.digest, begins=True)
        await self._desk.enter(ticket)
        ready = self._stock.take(wanted)
        cell = self.cell = ready or self._stock.cell(wanted)
        try:
            gave = await self._turns(wanted, ticket, cell, arguments, prepared=ready is not None)
        except BaseException:
            self._stock.failed(wanted, cell)
            raise
        finally:
            self._desk.give_back(ticket)
        self._stock.used(wanted)
        return Ran(
            gave.value, printed=str(cell.printed), calls=self._calls, seconds=monotonic() - began, work=cell.work
        )

    async def _turns(
        self, wanted: Wanted, ticket: Ticket, cell: Cell, arguments: Mapping[str, Any], *, prepared: bool
    ) -> Gave:
        """Turn by turn, with the host's calls between."""
        lent = self._call is not None

        def first() -> Asked | Gave:
            if not prepared:
                self._stock.fill(cell, wanted)
            return cell.begin(arguments, lent=lent)

        def closed(outcome: Outcome[Asked | Gave]) -> None:
            if not outcome.failed and isinstance(outcome.get(), Gave):
                cell.close()
                self._stock.replace(wanted)

        most = cell.limits.seconds
        outcome = await self._desk.work(ticket, cell, first, most, closed)
        while isinstance(outcome, Asked):
            answer = await self._ask(outcome, wanted.image.limits)
            await self._desk.enter(ticket)
            outcome = await self._desk.work(ticket, cell, partial(cell.answer, answer), most - cell.seconds, closed)
        return outcome

    async def _ask(self, asked: Asked, limits: SandboxLimits) -> Any:  # noqa: ANN401 - JSON, or Failed
        """What the host answers; nothing of its errors is told but what was worded for the code."""
        self._calls += 1
        if self._call is None or self._calls > limits.calls:
            raise fault("calls")
        try:
            reply = await self._call(asked.target, asked.parameters)
            return plain(reply, limits.memory // 4)
        except Refusal as refusal:
            return Failed(refusal.text[:500].encode(errors="replace").decode())
        except Departure as departure:
            raise departure.error from None
        except (MoothallError, NotJson) as error:
            log.info("a call of generated code failed: %s", type(error).__name__)
            return _FAILED
        except Exception:
            log.exception("a call of generated code failed for a reason that nobody foresaw")
            return _FAILED
