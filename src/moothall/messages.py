"""What people read, in Chinese and English: ``data/texts/<room>.<lang>.toml``, one pair of files for each room."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from moothall.errors import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moothall.errors import MoothallError

Lang = Literal["zh", "en"]
"""The languages that every text is written in."""

LANGS: Final[tuple[Lang, ...]] = get_args(Lang)

_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Explanation(NamedTuple):
    """An error told to a person: what happened, why, and what to try."""

    message: str
    why: str
    hint: str


def text(key: str, lang: Lang, /, **values: object) -> str:
    """Return the text ``<room>.<rest>`` in `lang`, its ``{placeholders}`` filled in.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    room, _, rest = key.partition(".")
    return catalogue(room, lang)[rest].format(**values)


@cache
def catalogue(room: str, lang: Lang) -> Mapping[str, str]:
    """All texts of a room, by their dotted keys; tables in the file are joined by dots.

    Raises:
        KeyError: the room has no texts in this language.
    """
    source = files("moothall").joinpath("data", "texts", f"{room}.{lang}.toml")
    if not source.is_file():
        message = f"{room}.{lang}"
        raise KeyError(message)
    return MappingProxyType(dict(_flat(tomllib.loads(source.read_text(encoding="utf-8")))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def explain(error: MoothallError, lang: Lang) -> Explanation:
    """Tell an error in `lang`: the text of its row, then what was said where it was raised, then what to try."""
    message = catalogue("errors", lang)[f"{error.row}.message"]
    told = error.told
    why = tell(told, lang) if told else str(error)
    hint = error.hint or text((told and told.hint) or error.appearance.hint, lang)
    return Explanation(message, why, hint)


def tell(told: Told, lang: Lang) -> str:
    """A reason in `lang`; a value may be a reason itself.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    values = {name: tell(value, lang) if isinstance(value, Told) else value for name, value in told.values.items()}
    return text(told.why, lang, **values)


def detect_lang(words: str) -> Lang:
    """Chinese if there is any Chinese character in `words`, else English."""
    return "zh" if _HAN.search(words) else "en"


def system_lang(env: Mapping[str, str]) -> Lang:
    """The language the environment asks for: ``MOOTHALL_LANG``, then the locale; English when neither says."""
    wanted = next((env[name] for name in ("MOOTHALL_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    return "zh" if wanted.lower().startswith("zh") else "en"
