"""The environment of this machine without anything that would set a node up: no key of a developer reaches a test."""

from __future__ import annotations

import os

from pydantic import AliasChoices

from moothall.settings import Settings, variable


def setting_names() -> frozenset[str]:
    """Every variable that sets something, under all its names."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= {str(choice) for choice in alias.choices} if isinstance(alias, AliasChoices) else {variable(name)}
    return frozenset(names)


def bare_environment() -> dict[str, str]:
    """What a command that a test starts may see; it keeps its bytecode, so that the next one need not compile us again."""
    kept_out = setting_names() | {"PYTHONDONTWRITEBYTECODE"}
    return {
        name: value for name, value in os.environ.items() if name not in kept_out and not name.startswith("MOOTHALL_")
    }
