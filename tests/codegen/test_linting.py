"""The linter of generated code: our rules, none of the code's own."""

from moothall.codegen.linting import lint


async def codes(source: str, stubs: str = "") -> list[tuple[str, int]]:
    return [(each.code, each.line) for each in await lint(source, stubs)]


async def test_sound_code_has_no_problems() -> None:
    assert await codes("import re\n\n\ndef f(a):\n    return call('callback', {'a': a})\n") == []


async def test_undefined_names_are_found() -> None:
    assert await codes("def f(a):\n    return b\n") == [("F821", 2)]


async def test_names_that_stubs_declare_are_known() -> None:
    stubs = "from typing import TypedDict\nclass Request(TypedDict):\n    a: int\nCount = int\n"
    source = "def f(request: Request) -> Count:\n    return request['a']\n"
    assert await codes(source, stubs) == []
    assert await codes(source) != []


async def test_swallowed_errors_are_found() -> None:
    assert ("S110", 4) in await codes(
        "def f():\n    try:\n        call('t', {})\n    except Exception:\n        pass\n"
    )


async def test_code_cannot_silence_the_linter() -> None:
    assert await codes("# ruff: noqa\ndef f():\n    return b  # noqa: F821\n") == [("F821", 3)]


async def test_what_is_no_python_is_a_problem() -> None:
    (problem, *_) = await lint("def f(:\n")
    assert (problem.stage, problem.line) == ("lint", 1)


async def test_texts_that_cannot_be_written_are_no_error_of_ours() -> None:
    assert await codes("x = '\ud800'\n") == []
