"""Dates and times that can be nothing else, so that no other grammar reads their digits: 2027-01-10, 10 Jan, 19:30."""

from __future__ import annotations

from moothall.negotiation.demand.extract.folding import hide, rule

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"20[0-9]{2}"
_NO_AMOUNT = r"(?![0-9a-z.%$€£¥万千百元块]|,[0-9]|[ \t]?(?:k|w|usd|cny|rmb|yuan|eur|euros?|dollars?|pounds?)\b)"
_PLAIN = rule(
    rf"(?<![0-9.])(?:{_YEAR}(?P<dot>[-/.])[0-9]{{1,2}}(?P=dot)[0-9]{{1,2}}"
    rf"|[0-9]{{1,2}}(?P<sign>[-/.])[0-9]{{1,2}}(?P=sign){_YEAR}"
    rf"|{_DAY}[ \t]?(?:of[ \t])?{_MONTH}(?:,?[ \t]?{_YEAR})?"
    r"|[0-2]?[0-9]:[0-5][0-9])(?![0-9])"
    rf"|(?<![a-z]){_MONTH}[ \t]?(?:(?:the[ \t])?{_DAY}(?:[ \t]?-[ \t]?{_DAY})?(?:,?[ \t]?{_YEAR})?|{_YEAR})"
    rf"{_NO_AMOUNT}"
)


def hide_dates(folded: str) -> str:
    """Hide them, in a text of the same length."""
    return hide(folded, (match.span() for match in _PLAIN.finditer(folded)))
