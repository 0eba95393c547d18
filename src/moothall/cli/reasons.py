"""Reasons as they are kept beside places and listings, told to people."""

from __future__ import annotations

import json

from moothall.cli.render.clean import clean_line
from moothall.messages import Lang, text


def worded(why: str, lang: Lang) -> str:
    """A reason in words: ``room.key``, or ``room.key {values}``; one that has no words as it is."""
    key, _, given = why.partition(" ")
    try:
        values = json.loads(given) if given else {}
        return text(key, lang, **values) if "." in key else clean_line(why)
    except (KeyError, ValueError, TypeError):
        return clean_line(why)
