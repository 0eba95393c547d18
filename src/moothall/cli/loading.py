"""Finding the node in a person's own code."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from moothall.cli.invocation import Invocation
from moothall.errors import MoothallError, SettingsError, UsageError
from moothall.node import Node
from moothall.settings import variable

NAME = "node"
"""What a node is called in a file when nobody says otherwise."""


def load_node(call: Invocation, target: str, given: Mapping[str, object]) -> Node:
    """The node in ``FILE.py``, ``MODULE`` or ``MODULE:NAME``.

    Options of the command line reach the code as environment variables, which a ``Node()`` without settings of its own
    reads; where the code says something else, that is an error rather than a silent choice.

    Raises:
        UsageError: there is no such file or module, it cannot be run, or there is no node in it.
        SettingsError: the code sets what the command line sets, and differently.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    for name, value in wanted.items():
        os.environ[variable(name)] = str(value)
    path, _, name = target.partition(":")
    module = _file(call, Path(path)) if path.endswith(".py") else _module(call, path)
    node = getattr(module, name or NAME, None)
    if not isinstance(node, Node):
        found = call.text("serve.no_node", target=path, name=name or NAME)
        raise UsageError(found, hint=call.text("serve.no_node_try"))
    for setting, value in wanted.items():
        if getattr(node.settings, setting) != value:
            differs = call.text("serve.other_setting", target=path, name=setting)
            raise SettingsError(differs, hint=call.text("serve.other_setting_try"))
    return node


def _file(call: Invocation, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if not path.is_file() or spec is None or spec.loader is None:
        raise UsageError(call.text("serve.no_file", path=path))
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    with _fault_told(call, str(path), path.resolve()):
        spec.loader.exec_module(module)
    return module


def _module(call: Invocation, name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    with _fault_told(call, name):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                raise UsageError(call.text("serve.no_module", name=name)) from error
            raise


@contextmanager
def _fault_told(call: Invocation, target: str, file: Path | None = None) -> Iterator[None]:
    """Tell whatever a person's code ends with, SystemExit too, by its file and line: the fault is theirs to find."""
    try:
        yield
    except MoothallError:
        raise
    except (Exception, SystemExit) as error:
        said = error.msg if isinstance(error, SyntaxError) else error
        raise UsageError(
            call.text("serve.broken", target=target),
            why=f"{_place(error, file)}: {type(error).__name__}: {said}",
            hint=call.text("serve.broken_try"),
        ) from error


def _place(error: BaseException, file: Path | None) -> str:
    """``FILE:LINE: TEXT`` of a fault: where it cannot be parsed, else the last line of the person's own file."""
    if isinstance(error, SyntaxError) and error.filename:
        return _line(error.filename, error.lineno, error.text)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is None or Path(frame.filename) == file] or frames
    return _line(own[-1].filename, own[-1].lineno, own[-1].line)


def _line(file: str, number: int | None, text: str | None) -> str:
    said = (text or "").strip()
    return f"{file}:{number or '?'}" + (f": {said}" if said else "")
