"""One page of Markdown about each capability (row DEC-37)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moothall.canonical import dumps
from moothall.capability.entry import Entry


def page(entry: Entry) -> str:
    """What a person needs to call it: what it does, its parameters, its result, who may, and what it costs."""
    spec = entry.spec
    lines = [f"# {entry.id}", "", spec.description, "", f"Version {spec.version}{_state(entry)}", ""]
    lines += ["## Parameters", "", *_parameters(entry.input_schema), ""]
    lines += ["## Result", "", *_result(entry), ""]
    lines += ["## Calling it", "", *(f"- {item}" for item in _terms(entry)), ""]
    return "\n".join(lines)


def write_pages(entries: Iterable[Entry], folder: Path) -> list[Path]:
    """Write the page of every entry, each with the generator of its agent, as ``AGENT.NAME.md``; return the files.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for entry in entries:
        written.append(folder / f"{entry.id}.md")
        written[-1].write_text(entry.document(entry), encoding="utf-8")
    return written


def _state(entry: Entry) -> str:
    return "" if entry.state == "enabled" else f" ({entry.state})"


def _parameters(schema: Mapping[str, Any]) -> list[str]:
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    if not properties:
        return ["None."]
    required = set(schema.get("required", ()))
    rows = ["| name | type | needed | default | meaning |", "|---|---|---|---|---|"]
    for name, item in properties.items():
        default = dumps(item["default"]).decode() if "default" in item else ""
        needed = "yes" if name in required else "no"
        rows.append(
            f"| `{name}` | {_type(item)} | {needed} | {_cell(default)} | {_cell(item.get('description', ''))} |"
        )
    return rows


def _result(entry: Entry) -> list[str]:
    if entry.output_schema is None:
        return ["Not declared."]
    said = entry.output_schema.get("description", "")
    shape = _type(entry.output_schema)
    many = "Values one after another, each: " if entry.streams else ""
    return [f"{many}{shape}{'. ' + said if said else ''}"]


def _terms(entry: Entry) -> list[str]:
    spec = entry.spec
    who = "anybody" if spec.public else f"callers who prove who they are; access: {spec.access}"
    terms = [f"as `local:{entry.id}`" if "local" in spec.exposure else "over the network only"]
    terms.append(f"open to: {', '.join(sorted(spec.exposure))}; {who}")
    terms.append(f"what it does: {spec.acts}")
    if spec.permissions:
        terms.append(f"or callers who hold: {', '.join(spec.permissions)}")
    if spec.rate_limit:
        terms.append(f"at most {spec.rate_limit.calls} calls in {spec.rate_limit.seconds:g} s for each caller")
    if spec.quota:
        terms.append(f"at most {spec.quota} calls in a day for each caller")
    if spec.approval:
        terms.append("a call waits until somebody has approved it")
    terms.append(f"answers within {spec.timeout:g} s")
    if spec.tags:
        terms.append(f"tags: {', '.join(spec.tags)}")
    return terms


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " or ".join(f"`{dumps(item).decode()}`" for item in schema["enum"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_type(item) for item in schema[key])
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_type(schema['items'])}"
    if kind == "object" and "title" in schema:
        return str(schema["title"])
    shown = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{shown} ({schema['format']})" if "format" in schema else shown


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
