"""What can be written at a function, what it means, and what is refused where it stands."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from moothall.capability.decorators import (
    ANPServiceDecorator,
    CapabilityDecorator,
    anp_service,
    api_service,
    capability,
    local_method,
)
from moothall.capability.options import OptionError
from moothall.capability.spec import Rate
from moothall.errors import UsageError
from tests.capability.shop import entry_of

BOTH = frozenset({"local", "net"})


def plain(a: int, b: int = 2) -> int:
    """Add two numbers.

    Not shown in listings.
    """
    return a + b


@pytest.mark.requirement("DEC-11")
@pytest.mark.parametrize("decorate", [capability, capability(), capability(name="sum"), CapabilityDecorator()])
def test_a_decorated_function_stays_what_it_was(decorate: Any) -> None:
    def fresh(a: int, b: int = 2) -> int:
        """Add two numbers."""
        return a + b

    before = (fresh.__name__, fresh.__doc__, dict(fresh.__annotations__), inspect.signature(fresh))
    decorated = decorate(fresh)
    assert decorated(1) == 3
    assert (decorated.__name__, decorated.__doc__, decorated.__annotations__, inspect.signature(decorated)) == before
    assert entry_of(decorated).bind({"a": 1}).named == {"a": 1, "b": 2}


def test_type_checkers_see_the_original_signature() -> None:
    @capability
    def bare(a: int) -> str:
        return str(a)

    @capability(timeout=1, tags=["x"])
    def called(a: int) -> str:
        return str(a)

    first: str = bare(1)
    second: str = called(2)
    assert (first, second) == ("1", "2")


@pytest.mark.requirement("DEC-32")
def test_an_unknown_option_is_refused_by_its_name_with_the_nearest_one() -> None:
    with pytest.raises(OptionError, match=r"'cachettl'.*'cache_ttl'") as raised:
        capability(cachettl=300)(plain)  # type: ignore[call-arg]
    assert isinstance(raised.value, TypeError)
    assert isinstance(raised.value, UsageError)


@pytest.mark.requirement("DEC-33")
def test_the_description_is_the_first_paragraph_unless_one_is_given() -> None:
    def silent() -> None:
        return None

    def sections_only(a: int) -> int:
        """Args:
        a: something
        """
        return a

    assert entry_of(capability(plain)).spec.description == "Add two numbers."
    assert entry_of(capability(silent)).spec.description == "silent service"
    assert entry_of(capability(name="quiet")(silent)).spec.description == "quiet service"
    assert entry_of(capability(sections_only)).spec.description == "sections_only service"
    assert entry_of(capability(description="x")(plain)).spec.description == "x"


@pytest.mark.requirement("DEC-06", "DEC-16", "DEC-17")
@pytest.mark.parametrize("option", ["expose_to", "scope"])
@pytest.mark.parametrize(
    ("value", "exposure"),
    [
        ("local", {"local"}),
        ("net", {"net"}),
        ("network", {"net"}),
        ("anp", {"net"}),
        ("llm", {"llm"}),
        ("both", BOTH),
        (["both", "llm"], BOTH | {"llm"}),
        (("local",), {"local"}),
    ],
)
def test_each_exposure_means_exactly_its_doors(option: str, value: Any, exposure: set[str]) -> None:
    assert entry_of(capability(**{option: value})(lambda_free())).spec.exposure == exposure


def lambda_free() -> Any:
    def made() -> int:
        return 1

    return made


@pytest.mark.requirement("DEC-06", "DEC-16")
@pytest.mark.parametrize("value", ["nett", "", [], ["local", "web"], {"net": 1}, 3, None])
def test_any_other_exposure_is_refused_where_it_stands(value: Any) -> None:
    for option in ("expose_to", "scope"):
        with pytest.raises(OptionError, match=option):
            capability(**{option: value})(lambda_free())


def test_the_exposure_is_local_and_network_with_proof_of_identity_by_default() -> None:
    spec = entry_of(capability(lambda_free())).spec
    assert (spec.exposure, spec.auth, spec.access, spec.permissions) == (BOTH, True, "owner", ())


@pytest.mark.requirement("DEC-29")
@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("100/hour", Rate(100, 3600)),
        ("2/minute", Rate(2, 60)),
        ("5/second", Rate(5, 1)),
        ("1/day", Rate(1, 86_400)),
        (None, None),
    ],
)
def test_a_rate_is_calls_in_a_unit_of_time(written: str | None, rate: Rate | None) -> None:
    assert entry_of(capability(rate_limit=written)(lambda_free())).spec.rate_limit == rate


BAD = {
    "rate_limit": ["", "100", "100/week", "0/hour", "-1/hour", "1.5/hour", "100 / hour", "100/hours", "١/hour", 100],
    "version": ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "latest", "", 1],
    "auth": ["yes", 1],
    "access": ["everybody", "", None],
    "timeout": [0, -1, "30", float("nan"), float("inf"), True],
    "retry": [-1, 1.5, "3", True],
    "cache_ttl": [-1, "5", float("nan")],
    "permissions": ["read", [""], [1], None],
    "tags": ["ai", [None]],
    "template": ["soap", "", None],
    "source": ["soap", "", None],
    "binding": ["token", None],
    "http_method": ["FETCH", ""],
    "methods": ["POST", [], ["FETCH"]],
    "path": ["calculate", "/a b", "/a//b", "/a/../b", ""],
    "name": ["", "a b", ".a", "a.", "a/b", "a@1", 3],
    "idempotent": [1, "no", None],
    "approval": ["", "  ", 1, None, ["boss"]],
    "action": ["fly", "", None, ["read"]],
    "classification": ["secret", -1, 4, 1.0, True, None],
    "personal_data": [1, "yes", None],
    "private": ["email", [""], ["a."], [".a"], ["a..b"], ["a b"], [1], None],
    "min_trust": [-1, 11, "5", 1.5, True, None],
    "region": ["", 1, None],
    "quota": [-1, "0/day", "5", "5/hour", "/day", 1.5, True, None],
    "description": ["", "  ", 3],
    "auto_publish": [True, "no"],
    "ai_enhanced": ["yes", 1],
    "enable_cache": ["yes"],
}


@pytest.mark.requirement("DEC-29", "DEC-31")
@pytest.mark.parametrize(("option", "value"), [(option, value) for option, values in BAD.items() for value in values])
def test_a_value_that_makes_no_sense_is_refused_and_the_option_is_named(option: str, value: Any) -> None:
    with pytest.raises(OptionError, match=option):
        capability(**{option: value})(lambda_free())


def test_an_unknown_source_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(OptionError, match="a2a, auto, did, http, llm, local, mcp"):
        capability(source="soap")(lambda_free())


@pytest.mark.requirement("DEC-21")
def test_arguments_in_words_are_one_more_argument_and_then_none_is_needed() -> None:
    def forecast(city: str, days: int = 1) -> dict[str, Any]:
        """Weather."""
        return {"city": city, "days": days}

    plain, spoken = entry_of(capability(forecast)), entry_of(capability(ai_enhanced=True)(forecast))
    assert plain.input_schema["required"] == ["city"]
    assert "required" not in spoken.input_schema
    assert {*spoken.input_schema["properties"]} == {"city", "days", "query"}
    assert entry_of(capability(auto_publish=False, ai_enhanced=False)(lambda_free()))


def test_the_long_names_of_options_mean_the_short_ones() -> None:
    spec = entry_of(
        capability(auth_required=False, enable_retry=True, max_retries=5, enable_cache=True, cache_ttl=7)(lambda_free())
    ).spec
    assert (spec.auth, spec.retry, spec.cache_ttl) == (False, 5, 7)
    spec = entry_of(capability(enable_retry=True, enable_cache=True, enable_rate_limit=True)(lambda_free())).spec
    assert (spec.retry, spec.cache_ttl, spec.rate_limit) == (3, 300, Rate(100, 3600))
    spec = entry_of(
        capability(
            retry=2, enable_retry=False, cache_ttl=5, enable_cache=False, rate_limit="1/day", enable_rate_limit=False
        )(lambda_free())
    ).spec
    assert (spec.retry, spec.cache_ttl, spec.rate_limit) == (0, 0, None)


def test_one_option_under_two_names_is_refused() -> None:
    for pair in ({"scope": "net", "expose_to": "net"}, {"auth": True, "auth_required": True}):
        with pytest.raises(OptionError, match="same option"):
            capability(**pair)(lambda_free())


@pytest.mark.requirement("DEC-25")
@pytest.mark.parametrize("name", ["private_notes", "admin_panel", "weather", "badminton_scores", "delete_account"])
def test_authentication_does_not_depend_on_the_name(name: str) -> None:
    for auth in (None, True):
        spec = entry_of(capability(name=name, auth=auth)(lambda_free())).spec
        assert (spec.auth, spec.access, spec.public) == (True, "owner", False)
    assert entry_of(capability(name=name, auth=False)(lambda_free())).spec.public
    assert entry_of(capability(name=name, access="public")(lambda_free())).spec.public


@pytest.mark.requirement("DEC-05")
def test_the_full_decorator_is_the_simple_one_with_other_words() -> None:
    options = {"template": "api", "permissions": ["read", "write"]}
    for decorate in (anp_service, ANPServiceDecorator):
        spec = entry_of(decorate(scope="anp", auth_required=True, **options)(lambda_free())).spec
        assert spec == entry_of(capability(expose_to="net", auth=True, **options)(lambda_free())).spec
    assert entry_of(anp_service()(lambda_free())).spec.exposure == BOTH


@pytest.mark.requirement("DEC-02")
def test_a_local_method_is_for_this_process_only() -> None:
    assert entry_of(local_method()(lambda_free())).spec.exposure == {"local"}


@pytest.mark.requirement("DEC-46")
def test_an_api_service_has_an_address_and_verbs() -> None:
    @api_service(path="/calculate", methods=["POST", "put"], access="public")
    def calculate(a: float, b: float) -> float:
        return a * b

    spec = entry_of(calculate).spec
    assert (spec.path, spec.methods, spec.public) == ("/calculate", ("POST", "PUT"), True)
    assert entry_of(api_service("/x")(lambda_free())).spec.methods == ("POST",)


@pytest.mark.requirement("DEC-04")
@pytest.mark.parametrize(
    "source",
    [
        {"source": "local"},
        {"source": "mcp", "server": "s"},
        {"source": "a2a", "endpoint": "https://x.example"},
        {"source": "did", "did": "did:wba:x.example"},
        {"source": "http", "endpoint": "https://x.example"},
        {"source": "llm"},
        {"source": "auto"},
    ],
    ids=lambda source: source["source"],
)
def test_every_source_takes_the_same_keywords(source: dict[str, str]) -> None:
    keywords: dict[str, Any] = {
        "expose_to": "net", "permissions": ["p"], "timeout": 5, "retry": 1, "cache_ttl": 9, "rate_limit": "1/day",
        "idempotent": True, "tags": ["t"], "version": "2.0.0", "binding": "request", "method": "get_it",
    }  # fmt: skip

    def proxied(a: int) -> int: ...  # type: ignore[empty-body]

    spec = entry_of(capability(**source, **keywords)(proxied)).spec
    same = entry_of(capability(**keywords)(proxied)).spec
    assert spec.source == source["source"]
    for field in (
        "exposure",
        "permissions",
        "timeout",
        "retry",
        "cache_ttl",
        "rate_limit",
        "idempotent",
        "tags",
        "version",
        "binding",
    ):
        assert getattr(spec, field) == getattr(same, field)


def test_a_source_cannot_do_without_what_it_needs() -> None:
    for source, needed in (("mcp", "server"), ("a2a", "endpoint"), ("did", "did"), ("http", "endpoint")):
        with pytest.raises(OptionError, match=needed):
            capability(source=source)(lambda_free())


def test_the_remote_operation_is_named_like_the_function_unless_it_is_said() -> None:
    def get_weather(city: str) -> dict[str, Any]: ...  # type: ignore[empty-body]

    assert entry_of(capability(source="mcp", server="w")(get_weather)).spec.remote["method"] == "get_weather"
    spec = entry_of(capability(source="mcp", server_name="w", method="now")(get_weather)).spec
    assert (spec.remote["server"], spec.remote["method"]) == ("w", "now")
    spec = entry_of(capability(source="a2a", endpoint="https://x.example", method="GET")(get_weather)).spec
    assert spec.remote == {"endpoint": "https://x.example", "http_method": "GET"}
    spec = entry_of(capability(source="http", endpoint="https://x.example")(get_weather)).spec
    assert spec.remote["http_method"] == "POST"


def test_what_cannot_be_a_capability_is_refused_where_it_is_decorated() -> None:
    def collects(*values: int) -> int:
        return sum(values)

    def open_ended(**values: int) -> int:
        return sum(values.values())

    for function in (collects, open_ended):
        with pytest.raises(OptionError, match="names its parameters"):
            capability(function)
    with pytest.raises(OptionError, match="include an instance"):
        capability(type("Class", (), {}))
    with pytest.raises(OptionError, match="name"):
        capability(lambda: 1)
    assert entry_of(capability(name="one")(lambda: 1)).spec.name == "one"


def test_names_of_any_script_are_names() -> None:
    space: dict[str, Any] = {}
    exec("def 天气(城市: str) -> str: return 城市", space)  # noqa: S102
    entry = entry_of(capability(space["天气"]))
    assert entry.spec.name == "天气"
    assert entry.bind({"城市": "北京"}).named == {"城市": "北京"}
    assert entry_of(capability(name="demand.submit")(lambda_free())).id == "shop.demand.submit"
