"""policy.toml is read strictly, and every fault is told by its place."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import moothall.policy.named as room
from moothall.errors import SettingsError
from moothall.policy import builtin
from moothall.policy.named.cedar import like, policy, text
from moothall.policy.named.joining import joined
from moothall.policy.named.reader import configured, read, usual
from moothall.policy.policies import PolicySet
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from tests.policy.named.hall import policies


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ("[trust]\ntreshold = 1", "[trust] treshold: there is no such key; did you mean 'threshold'?"),
        ("[trsut]", "[trsut]: there is no such key; did you mean 'trust'?"),
        ("[wholly_unlike_anything]", "[wholly_unlike_anything]: there is no such key"),
        ("[isolation]\nparent = true", "[isolation] parent: there is no such key; did you mean 'parents'?"),
        ("[personal.ann]\nagens = []", "[personal] ann.agens: there is no such key; did you mean 'agents'?"),
        ("[[resource]]\ncapabilities = ['a']\nclasification = 1", "[resource] 0.clasification: there is no such key; did you mean 'classification'?"),
        ("[[resource]]\ncapabilities = ['a']\nquota = 0", "[resource] 0.quota: "),
        ("[[resource]]\ncapabilities = ['a']\nclassification = 'secret'", "[resource] 0.classification: no class 'secret'; there are public, internal, confidential, restricted"),
        ("[[roles.may]]\nrole = 'a'\nactions = ['raed']\ncapabilities = ['a']", "[roles] may.0.actions.0: "),
        ("[matrix.personal]\nwork = ['raed']", "[matrix] personal.work.0: "),
        ("[matrix.personal]\nwork = []", "[matrix]: personal.work names no action"),
        ("[usage.per_day]\n'*' = '5'", "[usage] per_day.*: "),
        ("[audit]\npersonal_data = 1", "[audit] personal_data: "),
        ("[personal.ann.trust]\nbo = 3", "[personal] ann.trust.bo"),
        ("[personal.ann.per_day]\n'a b' = 3", "[personal] ann.per_day.a b"),
        ("matrix = 3", "[matrix]: "),
        ("[enterprise]\npolicies = ['isolation', 'all']", "[enterprise] policies."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_place(given_: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(given_, "/data/policy/policy.toml")
    assert "/data/policy/policy.toml" in str(caught.value)
    assert told in str(caught.value.why)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read("[trust]\ntreshold = 1\nbelow = 'ask'\n[audti]")
    assert len(caught.value.details["faults"]) == 3


def test_what_is_no_toml_is_told_with_line_and_column() -> None:
    with pytest.raises(SettingsError, match=r"policy.toml is no TOML: .*line 2, column"):
        read("[trust]\nthreshold = = 1")


def test_an_empty_file_is_the_usual_policies() -> None:
    assert read("") == usual() == configured({})
    assert {source.name for source in usual().sources} == {
        "matrix",
        "trust",
        "personal-data",
        "classification",
        "shared",
    }


def test_the_table_of_the_approvals_is_left_to_them() -> None:
    assert read("[approvals]\nanything = 1\n[[approvals.rule]]\nx = 2") == usual()


def examples() -> list[tuple[str, str]]:
    """The examples in the docstrings of the tables."""
    found = []
    for path in sorted(Path(str(room.__path__[0])).glob("*.py")):
        module = import_module(f"moothall.policy.named.{path.stem}")
        for name, kind in sorted(vars(module).items()):
            doc = getattr(kind, "__doc__", None) or ""
            if isinstance(kind, type) and kind.__module__ == module.__name__ and "Example::" in doc:
                block = re.search(r"Example::\n\n(.*?)(?:\n\n    (?=\S)|\Z)", doc, re.DOTALL)
                assert block, name
                found.append((name, dedent(block[1])))
    return found


@pytest.mark.parametrize(("name", "example"), examples(), ids=lambda value: value if value.isidentifier() else "")
def test_every_example_of_the_documentation_is_accepted_and_changes_something(name: str, example: str) -> None:
    config = read(example)
    policies(config)
    assert config != usual() or name == "EnterpriseTable"


def test_every_table_has_an_example() -> None:
    told = {match for _, example in examples() for match in re.findall(r"^\[+([a-z]+)", example, re.MULTILINE)}
    assert told == {
        "roles", "matrix", "isolation", "classification", "audit", "compliance", "usage", "trust", "privacy",
        "resource", "enterprise", "personal",
    }  # fmt: skip


@settings(deadline=None)  # each example makes a whole set of policies, and the machine may be busy
@given(name=st.text(max_size=30))
def test_no_name_becomes_more_than_a_name(name: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return
    when = f"principal.id == {text(name)} || principal.id like {like(name)}"
    source = PolicySource("custom", "x", policy("x", "permit", "principal, action, resource", when, reason=name))
    made = PolicySet.of(PolicyConfig(sources=(source,)), builtin.sources(), builtin.schema())
    assert made.policies["x"].reason == name


@pytest.mark.parametrize("bad", ["a b", "", "../x", "a\n", "ü", "x" * 41, '"'])
def test_a_name_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match="a name consists of"):
        configured({"matrix": {bad: {"work": ["read"]}}})


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ('[isolation]\nparents = ["总部 1"]', "isolation"),
        ('[compliance.regions.eu]\nunits = ["总部 1"]', "compliance:region:eu"),
    ],
    ids=["isolation", "region"],
)
def test_units_have_names_in_any_script(table: str, refusal: str) -> None:
    made = PolicySet.of(read(table), builtin.sources(), builtin.schema())
    assert "总部 1" in str(made.policies[refusal].json)


def test_policies_of_several_configurations_all_take_part() -> None:
    one = PolicyConfig(roles={"a": ("b",)}, zone="Europe/Berlin", resources=(ResourceRule(capabilities="x"),))
    other = PolicyConfig(roles={"a": ("c",), "d": ("a",)}, builtin=("house", "public"))
    both = joined([one, other, one])
    assert both.roles == {"a": ("b", "c"), "d": ("a",)}
    assert (both.zone, both.builtin) == ("Europe/Berlin", ("house", "public"))
    assert len(both.resources) == 2


def test_configurations_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="one time zone"):
        joined([PolicyConfig(zone="Europe/Berlin"), PolicyConfig(zone="Asia/Shanghai")])
    with pytest.raises(ValueError, match="circle"):
        joined([PolicyConfig(roles={"a": ("b",)}), PolicyConfig(roles={"b": ("a",)})])
