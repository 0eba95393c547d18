"""Code out of what a model wrote."""

from __future__ import annotations

import ast
import logging
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.codegen import extraction, llm_output_processer, llm_output_processor
from moothall.codegen.extraction import LONGEST, extract_code_from_llm_output
from moothall.codegen.module import LONGEST_SOURCE

CODE = "def f(x: int) -> int:\n    return x + 1"
OTHER = "def g() -> None:\n    return None"


def fenced(code: str, tag: str = "python", fence: str = "```") -> str:
    return f"{fence}{tag}\n{code}\n{fence}"


@pytest.mark.requirement("META-CODE-01")
def test_the_names_of_the_specification_are_one_function() -> None:
    assert llm_output_processer.extract_code_from_llm_output is extract_code_from_llm_output
    assert llm_output_processor.extract_code_from_llm_output is extract_code_from_llm_output


@pytest.mark.requirement("META-CODE-01")
@pytest.mark.parametrize(
    "text",
    [
        fenced(CODE),
        f"Certainly! Here's the code:\n\n{fenced(CODE)}\n\nIt's \"tested\".",
        fenced(f"\n{CODE}\n\n"),
        fenced(CODE).replace("\n", "\r\n"),
        "1. Like this:\n   " + fenced(CODE).replace("\n", "\n   "),
        fenced(CODE, fence="~~~"),
        "\ufeff" + fenced(CODE),
    ],
    ids=["alone", "in prose", "blank lines", "CRLF", "in a list", "tildes", "byte order mark"],
)
def test_one_block_gives_its_text(text: str) -> None:
    assert extract_code_from_llm_output(text) == CODE


@pytest.mark.requirement("META-CODE-01")
def test_a_block_that_is_the_only_one_need_not_define_anything() -> None:
    assert extract_code_from_llm_output(fenced("print(1 + 1)")) == "print(1 + 1)"


@pytest.mark.requirement("META-CODE-02")
@pytest.mark.parametrize(
    "tag", ["python", "py", "Python", "PYTHON", "python3", "py3", "", " python", "python title=a.py"]
)
def test_python_in_any_spelling_is_python(tag: str) -> None:
    assert extract_code_from_llm_output(fenced(CODE, tag)) == CODE


@pytest.mark.requirement("META-CODE-02")
@pytest.mark.parametrize("tag", ["js", "javascript", "json", "pyx", "ipython", "python2", "text"])
def test_another_language_is_not(tag: str) -> None:
    assert extract_code_from_llm_output(fenced(CODE, tag)) is None
    assert extract_code_from_llm_output(f"{fenced(CODE, tag)}\n{fenced(OTHER)}") == OTHER


NESTED = {
    "in a docstring": 'def f() -> int:\n    """Do it.\n\n    ```python\n    f()\n    ```\n    """\n    return 1',
    "at the margin": 'def f() -> str:\n    """Do it.\n\n```python\nf()\n```\n\n```\nplain\n```\n    """\n    return ""',
    "in a string": "TEXT = '''\n```\n'''\n\n\ndef f() -> str:\n    return TEXT",
    "after quotes": (
        'def f() -> str:\n    # it\'s """ no string\n    a = \'"""\' + "it\'s" + \'\\\'\' + r"\\""\n'
        '    return f"""{a}\n```\n"""'
    ),
    "after an empty string": 'def f() -> str:\n    a = "" + \'\'\n    b = "a""b"\n    return a + b + """\n```\n"""',
}


@pytest.mark.requirement("META-CODE-03")
@pytest.mark.parametrize("code", NESTED.values(), ids=NESTED)
def test_a_fence_inside_of_a_string_does_not_end_the_block(code: str) -> None:
    ast.parse(code)
    assert extract_code_from_llm_output(f'Here:\n\n{fenced(code)}\n\nThat\'s """it""".\n```\nmore\n```') == code


@pytest.mark.requirement("META-CODE-03")
def test_a_longer_outer_fence_wins() -> None:
    code = f'{CODE}\n\n\nHELP = """\n{fenced("f(1)")}\n"""'
    assert extract_code_from_llm_output(fenced(code, fence="````")) == code
    assert extract_code_from_llm_output(f"````text\n{fenced(CODE)}\n````\n{fenced(OTHER)}") == OTHER
    assert extract_code_from_llm_output(f"````python\n{CODE}\n`````") == CODE


@pytest.mark.requirement("META-CODE-04")
@pytest.mark.parametrize("end", ["", "\n", "\n\n"], ids=["none", "line", "blank line"])
def test_a_block_without_its_end_counts_if_it_is_whole(end: str) -> None:
    assert extract_code_from_llm_output(f"Here:\n```python\n{CODE}{end}") == CODE


@pytest.mark.requirement("META-CODE-04")
@pytest.mark.parametrize("rest", ["\n\n\ndef g(", '\n"""abc', "\nx = [1,", "\nif x:"])
def test_a_block_that_is_cut_off_inside_of_a_statement_does_not(rest: str) -> None:
    assert extract_code_from_llm_output(f"Here:\n```python\n{CODE}{rest}") is None


@pytest.mark.requirement("META-CODE-05")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"Use it so:\n{fenced('f(1)')}\nThe module:\n{fenced(CODE)}", CODE),
        (f"{fenced(CODE)}\n{fenced(OTHER)}", CODE),
        (f"{fenced('def broken(:')}\n{fenced(OTHER)}", OTHER),
        (f"{fenced(chr(34) * 3 + ' never ends')}\n{fenced(OTHER)}", OTHER),
        (f"{fenced('$ pip install x', '')}\n{fenced(OTHER)}", OTHER),
        (f"{fenced('f(1)')}\n{fenced('f(2)')}", None),
        (CODE, CODE),
        (f"\n\n{CODE}\n\n", CODE),
        (f"import json\n\nif True:\n    {OTHER.replace(chr(10), chr(10) + '    ')}", None),
        ("x = 1", None),
        ("yes", None),
        ("I cannot write that.", None),
        (f"Here it is: {CODE}", None),
    ],
    ids=[
        "example before the module", "two modules", "broken first", "open string first", "shell first", "examples only",
        "no fence", "no fence, blank lines", "definition in a condition", "no definition", "a word", "prose", "prose before",
    ],
)  # fmt: skip
def test_the_first_block_that_parses_and_defines_wins(text: str, code: str | None) -> None:
    if "if True" in text:
        code = text
    assert extract_code_from_llm_output(text) == code


GARBAGE: dict[str, Any] = {
    "None": None,
    "bytes": b"\xff\xfe```python",
    "2 MiB": "x" * (2 * LONGEST),
    "2 MiB of code": "x = 1\n" * (LONGEST // 3),
    "more bytes than signs": "语" * (LONGEST // 2),
    "empty": "",
    "blank": " \n ",
    "prose": "I'm sorry.",
    "null signs": fenced("a\0b"),
    "half a sign": "\ud800",
    "an empty block": fenced(""),
    "fences": "```\n" * 9,
}


@pytest.mark.requirement("META-CODE-06")
@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_whatever_is_no_code_is_none_and_leaves_one_record(content: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert extract_code_from_llm_output(content) is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.requirement("META-CODE-06")
def test_the_record_has_the_stack_trace_of_what_was_caught_but_not_the_text(caplog: pytest.LogCaptureFixture) -> None:
    extract_code_from_llm_output(fenced("secret words here"))
    assert caplog.records[0].exc_info is not None
    assert "Traceback" in caplog.text
    assert "secret" not in caplog.text
    caplog.clear()
    extract_code_from_llm_output("")
    assert "Traceback" not in caplog.text


@pytest.mark.requirement("META-CODE-06")
def test_code_that_is_found_leaves_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert extract_code_from_llm_output(fenced('def f() -> str:\n    return "\\d"')) is not None
    assert caplog.records == []


HARD = {
    "openings": "```python\n",
    "open strings": '```python\nx="""\n```\n',
    "parentheses": "(",
    "fence signs": "`",
    "quotes": '"""\'',
    "blanks": " " * 100 + "\n",
    "minus": "-",
    "backslashes": "```\n\\\n",
}


@pytest.mark.parametrize("part", HARD.values(), ids=HARD)
def test_no_text_is_read_again_and_again(part: str) -> None:
    for text in (part, f"```python\n{part}"):
        found = extract_code_from_llm_output(text + part * (LONGEST // 8 // len(part)))
        assert found is None or ast.parse(found)


@pytest.mark.requirement("META-CODE-06")
def test_no_more_is_read_as_python_than_a_module_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def parse(source: str) -> ast.Module:
        read.append(len(source))
        return parsed(source)

    parsed = ast.parse
    monkeypatch.setattr(extraction.ast, "parse", parse)
    long = "a;" * (LONGEST_SOURCE // 2)
    assert extract_code_from_llm_output(fenced(f"{long}a")) is None
    assert extract_code_from_llm_output((fenced("a;" * 10_000) + "\n") * 40) is None
    assert sum(read) <= 2 * LONGEST_SOURCE
    assert extract_code_from_llm_output(f"{fenced(f'{long}a')}\n{fenced(CODE)}") == CODE


@given(st.text(alphabet="`~\n \"'#\\adef():pyx", max_size=200))
def test_what_is_found_is_python(text: str) -> None:
    found = extract_code_from_llm_output(text)
    if found is not None:
        ast.parse(found)


def test_blocks_are_found_in_any_surroundings() -> None:
    chance = random.Random(7)
    pieces = ["It's so.", fenced("f(1)"), fenced("{}", "json"), fenced("def broken(:"), "", '"""', fenced("$ ls", "")]
    for _ in range(50):
        before, after = (chance.choices(pieces, k=chance.randrange(4)) for _ in range(2))
        assert extract_code_from_llm_output("\n\n".join([*before, fenced(CODE), *after])) == CODE
