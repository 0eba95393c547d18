"""Settings: where each comes from, and what is said when one does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.errors import SettingsError
from moothall.settings import Settings, load_settings, unknown_variables, variable


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    settings = Settings()
    assert (settings.data, settings.host, settings.port) == (Path(".moothall"), "127.0.0.1", 8420)
    assert (settings.response_timeout, settings.feedback_timeout, settings.feedback_timeout_policy) == (
        300,
        120,
        "accept",
    )
    assert (settings.subnet_min_importance, settings.subnet_min_gain) == (60, 0.15)
    assert (settings.subnet_min_benefit, settings.subnet_max_cost_share) == (1.5, 0.30)


def test_the_call_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("moothall.toml").write_text("port = 1\nhost = 'one.example'\nlang = 'zh'\n", encoding="utf-8")
    monkeypatch.setenv("MOOTHALL_PORT", "2")
    monkeypatch.setenv("MOOTHALL_HOST", "two.example")
    settings = Settings(port=3)
    assert (settings.port, settings.host, settings.lang) == (3, "two.example", "zh")


def test_the_file_of_the_data_folder_goes_before_that_of_the_working_directory(tmp_path: Path) -> None:
    Path("moothall.toml").write_text("port = 1\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "moothall.toml").write_text("port = 2\n", encoding="utf-8")
    assert Settings(data=tmp_path / "data").port == 2
    assert Settings(data=tmp_path / "elsewhere").port == 1


def test_the_data_folder_of_the_environment_is_where_the_file_is_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moothall.toml").unlink(missing_ok=True)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "moothall.toml").write_text("port = 7\n", encoding="utf-8")
    monkeypatch.setenv("MOOTHALL_DATA", str(tmp_path / "d"))
    assert Settings().port == 7


@pytest.mark.parametrize("prefix", ["", "MOOTHALL_"])
def test_the_names_of_the_specification_are_read_with_and_without_our_prefix(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{prefix}RESPONSE_TIMEOUT", "7")
    monkeypatch.setenv(f"{prefix}FEEDBACK_TIMEOUT", "8")
    monkeypatch.setenv(f"{prefix}FEEDBACK_TIMEOUT_POLICY", "withdraw")
    settings = Settings()
    assert (settings.response_timeout, settings.feedback_timeout, settings.feedback_timeout_policy) == (
        7,
        8,
        "withdraw",
    )
    assert Settings(response_timeout=9).response_timeout == 9


def test_the_file_has_them_in_small_letters() -> None:
    Path("moothall.toml").write_text("response_timeout = 5\n", encoding="utf-8")
    assert Settings().response_timeout == 5


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOTHALL_PORT", "")
    assert Settings().port == 8420


def test_none_counts_as_not_passed() -> None:
    assert load_settings(port=None, host="0.0.0.0") == Settings(host="0.0.0.0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "eighty"),
        ("response_timeout", "0"),
        ("response_timeout", "inf"),
        ("feedback_timeout_policy", "guess"),
        ("lang", "fr"),
        ("max_open_runs", "0"),
        ("sqlite_synchronous", "OFF"),
        ("public_url", "moot.example.org"),
        ("public_url", "ftp://moot.example.org"),
        ("public_url", "https://"),
        ("public_url", "http://moot.example.org:port"),
        ("subnet_max_cost_share", "1.5"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(SettingsError, match=f"the setting {name} does not fit") as caught:
        Settings()
    assert caught.value.details == {"setting": name, "variable": variable(name)}
    assert variable(name) in caught.value.hint


def test_an_unknown_name_in_the_file_is_refused() -> None:
    Path("moothall.toml").write_text("prot = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="prot"):
        Settings()


def test_a_broken_file_is_named() -> None:
    Path("moothall.toml").write_text("port = = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"moothall\.toml cannot be read"):
        Settings()


def test_a_folder_in_place_of_the_file_is_told() -> None:
    Path("moothall.toml").mkdir()
    with pytest.raises(SettingsError, match=r"moothall\.toml cannot be read"):
        Settings()


@pytest.mark.parametrize("line", ["port = true", "max_open_runs = true", "lease_seconds = true"])
def test_true_is_no_number(line: str) -> None:
    Path("moothall.toml").write_text(line, encoding="utf-8")
    with pytest.raises(SettingsError, match=line.split(maxsplit=1)[0]):
        Settings()
    Path("moothall.toml").write_text("demo_agents = false", encoding="utf-8")
    assert Settings().demo_agents is False


def test_a_public_url_is_an_address_of_the_web() -> None:
    for url in ("", "http://127.0.0.1:8420", "https://moot.example.org/base"):
        assert Settings(public_url=url).public_url == url


def test_a_variable_in_the_file_gets_the_hint_to_drop_the_prefix() -> None:
    Path("moothall.toml").write_text("MOOTHALL_PORT = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="MOOTHALL_PORT") as caught:
        Settings()
    assert "write it as port" in caught.value.hint


def test_a_variable_that_sets_nothing_is_known_by_our_prefix() -> None:
    names = ["MOOTHALL_PROT", "MOOTHALL_PORT", "MOOTHALL_RESPONSE_TIMEOUT", "RESPONSE_TIMEOUT", "PATH"]
    assert unknown_variables(names) == ["MOOTHALL_PROT"]


def test_a_password_shows_neither_in_the_settings_nor_in_an_error() -> None:
    url = "postgresql://anna:hunter2@db.example/test"
    assert "hunter2" not in repr(Settings(database_url=url))
    with pytest.raises(SettingsError) as caught:
        Settings(database_url=[url])
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.details}"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]
