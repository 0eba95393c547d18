"""``policy.toml`` becomes a configuration: strictly, and with every fault told by its place. Pure.

What each table may say stands at the class that it becomes: `RoleBasedAccessPolicy` (``[roles]``), `RoleMatrix`
(``[matrix]``), `DepartmentIsolationPolicy` (``[isolation]``), `DataClassificationPolicy` (``[classification]``),
`AuditPolicy` (``[audit]``), `CompliancePolicy` (``[compliance]``), `UsageLimitPolicy` (``[usage]``), `AgentTrustPolicy`
(``[trust]``), `PrivacySettings` (``[privacy]``), `ResourceTable` (``[[resource]]``), `EnterpriseTable`
(``[enterprise]``), `PersonalTable` (``[personal.NAME]``). An empty file is fine: the usual policies hold.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, get_args

from pydantic import ValidationError

from moothall.errors import SettingsError
from moothall.policy.named.named_policy import Table
from moothall.policy.named.role_matrix import RoleMatrix
from moothall.policy.named.tables import Tables, with_usual_rows
from moothall.policy.sources import PolicyConfig

NAME: Final = "policy.toml"


def read(text: str, place: str = NAME) -> PolicyConfig:
    """The configuration that a file says.

    Args:
        text: TOML.
        place: what the file is called in errors.

    Raises:
        SettingsError: it is no TOML, or some of it does not fit; ``why`` tells every fault, and so does
            ``details["faults"]``.
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # brackets in brackets, without end
        raise SettingsError(f"{place} is no TOML", why=str(error), details={"faults": [str(error)]}) from error
    return configured(table, place)


def configured(table: Mapping[str, Any], place: str = NAME) -> PolicyConfig:
    """The same of tables that were read already; raises as `read`."""
    stated = dict(table)
    if isinstance(matrix := stated.get("matrix"), Mapping):
        stated["matrix"] = with_usual_rows(matrix)
    try:
        return Tables.model_validate(stated).config()
    except ValidationError as error:
        faults = [_told(fault) for fault in error.errors(include_url=False, include_context=False)]
    except ValueError as error:  # tables that contradict each other
        faults = [str(error)]
    raise SettingsError(f"{place} does not fit", why="; ".join(faults), details={"faults": faults})


@cache
def usual() -> PolicyConfig:
    """What holds where the operator says nothing."""
    return read("")


def _told(fault: Mapping[str, Any]) -> str:
    place = [part for part in fault["loc"] if not str(part).startswith(("function-", "tagged-", "literal[", "tuple["))]
    if place[:2] == ["matrix", "rows"]:
        del place[1]
    where = f"[{place[0]}]{''.join(f' {part}' if n == 0 else f'.{part}' for n, part in enumerate(place[1:]))}"
    if fault["type"] != "extra_forbidden":
        return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(str(place[-1]), _known(place[:-1]), n=1, cutoff=0.5)
    return f"{where}: there is no such key" + (f"; did you mean {near[0]!r}?" if near else "")


def _known(place: Sequence[str | int]) -> list[str]:
    """Keys that a table may have."""
    at: type[Table] = Tables
    for part in place:
        if str(part) in at.model_fields:  # what is no field is a number in a list, or a name that the file gives
            at = next(_tables(at.model_fields[str(part)].annotation), at)
    return [] if at is RoleMatrix else list(at.model_fields)


def _tables(annotation: Any) -> Any:  # noqa: ANN401 - whatever a field is annotated with
    """The tables in it: ``tuple[Purpose, ...]`` holds those of `Purpose`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables(inner)
