"""Passages of a text that say what is NOT done: ``we do not do catering``, ``不提供摄影``. Pure.

A passage reaches from the words that deny to the end of what they deny: in Chinese the clause, in English the sentence
or the turn in it (``but``, ``, we``). What stands before ``除外`` or ``is not offered`` is denied as well. Phrases that
only look so (``不仅``, ``not only``, ``no problem``) deny nothing.

Whoever writes a text may make it deny in every word, so each pattern goes over it once.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

Span = tuple[int, int]

_VERBS_ZH: Final = (
    "提供|做|接受|接单|接|含有|含|包含|包括|包|支持|承接|承办|承担|负责|涉及|涉足|从事|擅长|开展|经营|办理|受理|代办|代理|"
    "处理|设有|设|具备|出租|出售|销售|卖|教授|教|安排|组织|参与|配备|配|带|收|找|考虑|想要|想|需要|需|要|用|是|算|属于|能|会|懂|可以|可|再|在"
)
_BEFORE_ZH: Final = re.compile(
    rf"(?:恕|暂时?|目前|并|从来?|绝|概|都|均|也|还|现)?不(?:再|曾|会|能|可以?|打算|愿意?)?(?:{_VERBS_ZH})|"
    r"没有?(?:做过?|提供|接过?|能力|办法)?|无法|未(?:提供|开展|开设|包含|包括|设|配)|别(?:要|找|给)|勿|"
    r"谢绝|拒绝|拒接|拒做|停止|停办|暂停|禁止|排除|剔除|缺少|缺乏|非(?!常|凡|遗|洲|同|要|但|得|物)|无需|无须|不含|不包"
)
_NO_DENIAL_ZH: Final = re.compile(
    r"不(?:仅|只|但|光|单|限|论|管|断|错|同|少|一样|一般|俗|凡|愧|止|必担心|用担心|用愁|用怕|会让|是问题|在话下|得不|可或缺|可多得|可替代|可少)|"
    r"没有?(?:问题|得说|事|关系|限制|上限|门槛|烦恼|的说)|无(?:论|限|人机|损|障碍|忧|缝|线)|非(?:常|凡|遗|洲|同|要|但|得|物)|"
    r"别(?:墅|致|具|出心裁|样)|未(?:来|必)|特别|分别|区别|识别|级别|类别|个别|性别|离别|辨别|鉴别|告别"
)
_EXCEPT_ZH: Final = re.compile(
    r"除了(?=[^，。；！？,.;!?\n])|(?<![删清移拆解扣排免消剔根去切开废破撤卸铲驱扫擦])除(?=[^，。；！？,.;!?\n]{1,23}(?:[以之]外|外(?![\u4e00-\u9fff])))"
)
"""Without ``了`` only where ``外`` closes it: ``删除``, ``清除`` and ``除湿`` are things that are done."""
_BESIDES_ZH: Final = re.compile(
    r"(?:之外|以外|外)?[，,]?\s*(?:我们?|本店|本社|团队|他们?|她们?)?(?:还|也|并|同时|更|又)"
)
_AFTER_ZH: Final = re.compile(
    r"(?:服务|业务|类|项目)?(?:除外|免谈|不做|不接|不提供|不包括?|不含|不在(?:范围|此)|都?不(?:要|行|可以)|请绕行|暂停|已停|以外|之外)"
)
_STOP_ZH: Final = re.compile(
    r"[，。；！？,;!?\n（）()]|\.(?:\s|$)|但|不过|而是|而只|只(?:提供|做|接|要)|仅(?:提供|做|接)|可以找|请找"
)
_STOP_EXCEPT_ZH: Final = re.compile(r"[，。；！？,;!?\n]|之外|以外|外")
_START_ZH: Final = re.compile(r"[，。；！？,;!?\n：:（）()]|但|不过")

_NO_DENIAL_EN: Final = re.compile(
    r"\b(?:not|n['’]t) (?:only|just|merely|limited|to mention|forget|worry|hesitate|miss)\b|"
    r"\b(?:do not|don['’]t) (?:worry|hesitate|miss|forget)\b|"
    r"\bno (?:problem|matter|doubt|limits?|worries|fuss|hassle|stress|hidden|minimum|job too|one else)\b|"
    r"\bno-(?:code|frills|nonsense)\b|\bwithout (?:limits?|delay|hassle|fuss|stress|a hitch|fail|compromise)\b|"
    r"\bwhy not\b",
    re.IGNORECASE,
)
_BEFORE_EN: Final = re.compile(
    r"\b(?:(?:do|does|did|is|are|was|were|can|could|will|would|should|shall|must|has|have)(?:n['’]t| not)|cannot|"
    r"can['’]t|won['’]t|never|no longer|not|no|without|excluding|"
    r"excludes?|except(?: for)?|other than|apart from|neither|nor|"
    r"unable to|"
    r"refuses? to|declines? to|stopped|avoid(?:s|ing)?|rather than|instead of|anything but)\b(?!-)",
    re.IGNORECASE,
)
_AFTER_EN: Final = re.compile(
    r"\b(?:(?:is|are)(?:n['’]t| not)(?: (?:something|anything))?(?: \w+)?|"
    r"not (?:offered|provided|available|included|supported)|"
    r"excluded|unavailable)\b",
    re.IGNORECASE,
)
_STOP_EN: Final = re.compile(
    r"[;!?\n()]|\.(?:\s|$)|[，。；！？]|\b(?:but|however|although|though|yet|instead)\b|"
    r",\s*(?:and |so )?(?:we|i|it|they|he|she|you|our|my|just|only|which|please|this|that|also|plus|mainly)\b",
    re.IGNORECASE,
)
_START_EN: Final = re.compile(r"[.;!?\n,()]|[，。；！？]|\b(?:but|however|although|though|and|yet)\b", re.IGNORECASE)
_REST_EN: Final = re.compile(r"[ .。!;,，\n]*")
_CALL_EN: Final = re.compile(
    r"(?:instead of|rather than|apart from|other than|without|except(?: for)?|excluding)$", re.IGNORECASE
)


def denied(text: str) -> list[Span]:
    """The passages of a text that are denied in it, in its order, none of which touches another."""
    shams = _Places(text, _NO_DENIAL_ZH, _NO_DENIAL_EN)
    return _joined([*_chinese(text, shams), *_english(text, shams)])


def affirmed(text: str) -> str:
    """The text with a full stop in place of each passage that is denied."""
    spans = denied(text)
    if not spans:
        return text
    kept, start = [], 0
    for begin, end in spans:
        kept.append(text[start:begin])
        start = end
    return "。".join([*kept, text[start:]])


def inside(start: int, end: int, spans: Sequence[Span]) -> bool:
    """Whether a piece of a text lies in one of the spans, which are in the order of the text, apart from each other."""
    at = bisect_right(spans, start, key=_start) - 1
    return at >= 0 and end <= spans[at][1]


class _Places:
    """Where patterns match in a text."""

    def __init__(self, text: str, *patterns: re.Pattern[str]) -> None:
        self._text, self._patterns = text, patterns
        self._spans = _joined([match.span() for pattern in patterns for match in pattern.finditer(text)])

    def next(self, start: int) -> int:
        """Where the first match from a place on begins; without one, the end of the text."""
        at = bisect_left(self._spans, start, key=_start)
        if at and self._spans[at - 1][1] > start:  # in the middle of one, where another may begin
            found = [match.start() for pattern in self._patterns if (match := pattern.search(self._text, start))]
            return min(found, default=len(self._text))
        return self._spans[at][0] if at < len(self._spans) else len(self._text)

    def last(self, end: int) -> int:
        """Where the last match before a place ends; without one, 0."""
        at = bisect_right(self._spans, end, key=_end) - 1
        return self._spans[at][1] if at >= 0 else 0

    def touched(self, match: re.Match[str]) -> bool:
        """Whether one of them has a letter of another match in it."""
        at = bisect_left(self._spans, match.end(), key=_start) - 1
        return at >= 0 and match.start() < self._spans[at][1]


def _start(span: Span) -> int:
    return span[0]


def _end(span: Span) -> int:
    return span[1]


def _chinese(text: str, shams: _Places) -> Iterable[Span]:
    stops, starts = _Places(text, _STOP_ZH), _Places(text, _START_ZH)
    for match in _BEFORE_ZH.finditer(text):
        if not shams.touched(match):
            yield match.start(), stops.next(match.end())
    ends = _Places(text, _STOP_EXCEPT_ZH)
    for match in _EXCEPT_ZH.finditer(text):
        end = ends.next(match.end())
        if not _BESIDES_ZH.match(text, end):
            yield match.start(), end
    for match in _AFTER_ZH.finditer(text):
        if not shams.touched(match) and _closes(text, match):
            start = starts.last(match.start())
            if not _BEFORE_ZH.match(text, start) and text.find("除", start, match.start()) < 0:
                yield start, match.end()


def _closes(text: str, match: re.Match[str]) -> bool:
    """`摄影不做`, at the end of its clause; `我们不做摄影` is no such thing."""
    return match.end() == len(text) or _STOP_ZH.match(text, match.end()) is not None


def _english(text: str, shams: _Places) -> Iterable[Span]:
    stops, starts = _Places(text, _STOP_EN), _Places(text, _START_EN)
    for match in _BEFORE_EN.finditer(text):
        if not shams.touched(match):
            stop = stops.next(match.end())
            if _CALL_EN.search(match.group()) and (comma := text.find(",", match.end(), stop)) > 0:
                stop = comma
            yield match.start(), stop
    for match in _AFTER_EN.finditer(text):
        if not shams.touched(match) and not _goes_on(text, match.end()):
            yield starts.last(match.start()), match.end()


def _goes_on(text: str, start: int) -> bool:
    """Whether a word follows, whatever stands between."""
    rest = _REST_EN.match(text, start)
    after = rest.end() if rest else start
    return text[after : after + 1].isalpha()


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined
