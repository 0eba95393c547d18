"""Numbers as people write them in Chinese and English: 一万二, 2w, 3千5百, 1.5万, twenty-five, half a dozen."""

from __future__ import annotations

from decimal import Decimal

from moothall.negotiation.demand.extract.folding import rule

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SECTIONS = {"万": 10_000, "亿": 100_000_000}
_LATIN_SCALE = {
    "k": 1000,
    "w": 10_000,
    "m": 1_000_000,
    "mn": 1_000_000,
    "thousand": 1000,
    "million": 1_000_000,
    "grand": 1000,
}
_ONES = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: value for value, word in enumerate(_ONES)} | {word: 10 * (n + 2) for n, word in enumerate(_TENS)}
_MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}

CHINESE = r"[零〇一二两三四五六七八九十百千万亿]{1,16}"
_NO_EXPONENT = r"(?<![0-9]e)(?<![0-9]e[-+])"
DIGITS = (
    rf"(?<![0-9.]){_NO_EXPONENT}(?>(?:[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,4}}|[0-9]{{1,12}})(?![0-9])(?:\.[0-9]{{1,3}})?)"
    r"(?!e[-+]?[0-9])"
)
HUGE = r"(?<![0-9.,])(?:[0-9]{13,}|[0-9]+(?:\.[0-9]+)?e[-+]?[0-9]+)"
"""A figure that no `NUMBER` is read from: more digits than anybody counts, or one with an exponent."""
_SCALE = r"(?:[ \t]?(?:[百千]万|[十百千万亿](?:[0-9][百千]?(?![0-9]))?|(?:k|w|mn?|thousand|million|grand)(?![a-z])))"
_ATOM = "|".join(sorted(_WORDS, key=len, reverse=True))
_MULTIPLE = "|".join(_MULTIPLES)
ENGLISH = (
    rf"\b(?:half a dozen|(?:{_ATOM}|an?(?=\s(?:{_MULTIPLE})\b))(?:(?:\s|-|\sand\s)(?:{_ATOM}|{_MULTIPLE})\b){{0,6}})\b"
)
NUMBER = rf"(?:{DIGITS}{_SCALE}?|{CHINESE}|{ENGLISH})"

_MINUS = rule(r"(?:^|[\s(:：,，。]|[\u4e00-\u9fff])[-\u2212－]$|(?<!欺)负$|\bminus\s$")
_LATIN = rule(r"([0-9.]+)\s?([a-z]+)")
_TOKEN = rule(r"[0-9]+(?:\.[0-9]+)?|[^0-9.\s]")


def read_number(text: str) -> Decimal | None:
    """Read the number that a `NUMBER` rule matched; `None` when its characters make no number (for example 十百)."""
    text = text.strip().replace(",", "")
    if text and text[-1] in "abcdefghijklmnopqrstuvwxyz":
        if match := _LATIN.fullmatch(text):
            return Decimal(match[1]) * _LATIN_SCALE[match[2]]
        return _read_english(text)
    tokens = _TOKEN.findall(text)
    if len(tokens) > 1 and all(token in _DIGITS for token in tokens):
        return Decimal("".join(str(_DIGITS[token]) for token in tokens))
    return _read_chinese(tokens)


def _read_chinese(tokens: list[str]) -> Decimal | None:
    """Evaluate unit by unit; a last bare digit takes the place after the unit before it (一万二 is 12000)."""
    total = section = Decimal(0)
    digit: Decimal | None = None
    unit, after = 10_000, 1
    for sign in tokens:
        if sign in _UNITS:
            if _UNITS[sign] >= unit and not (section == 0 and digit is not None):
                return None
            unit = after = _UNITS[sign]
            section, digit = section + (Decimal(1) if digit is None or digit == 0 else digit) * unit, None
        elif sign in _SECTIONS:
            value = total + section + (digit or 0) if sign == "亿" else section + (digit or 0)
            if value == 0:
                return None
            total = value * _SECTIONS[sign] if sign == "亿" else total + value * _SECTIONS[sign]
            section, digit, unit, after = Decimal(0), None, 10_000, _SECTIONS[sign]
        elif digit:
            return None
        else:
            digit = Decimal(_DIGITS.get(sign, sign))
            after = 1 if digit == 0 else after
    if digit is not None and after > 10 and digit < 10:
        digit *= after // 10
    return total + section + (digit or 0)


def _read_english(text: str) -> Decimal | None:
    if text == "half a dozen":
        return Decimal(6)
    total = group = 0
    for word in text.replace("-", " ").split():
        if word in _WORDS:
            group += _WORDS[word]
        elif word in _MULTIPLES:
            group = max(group, 1) * _MULTIPLES[word]
            if _MULTIPLES[word] >= 1000:
                total, group = total + group, 0
        elif word not in ("a", "an", "and"):
            return None
    return Decimal(total + group)


def negative(text: str, start: int) -> bool:
    """Whether a minus sign stands right before a number, and not a dash between two words or two numbers."""
    return bool(_MINUS.search(text, max(0, start - 8), start))


def read_int(text: str) -> int | None:
    """Read a whole number, or `None`."""
    value = read_number(text)
    return int(value) if value is not None and value == value.to_integral_value() else None
