"""Policies in files: read as a whole, swapped at once, and never half."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from moothall.audit.record import AuditRecord
from moothall.errors import SettingsError
from moothall.people.facts import PartyFacts
from moothall.policy.named.reader import read
from moothall.policy.sources import PolicyConfig
from moothall.policy.store import PolicyStore
from tests.policy.ground import Town, decided, did, entry

ANN, BOB = did("ann"), did("bob")
PERMIT = f'@id("bobs") permit (principal == Moothall::Agent::"{BOB.id}", action, resource);'
FORBID = '@id("no") forbid (principal, action, resource);'
BROKEN = [
    "permit (",
    "permit (principal, action, resource);",
    '@id("x") permit (principal, action, resource) when { 3 };',
    b"\xff",
]


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Trail:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def put(self, record: AuditRecord) -> None:
        self.records.append(record)

    async def settle(self, record: AuditRecord) -> None:
        self.records.append(record)


async def looked(store: PolicyStore, time: Time) -> None:
    """Two looks, a second apart: what has changed counts then."""
    for _ in range(2):
        time.now += 1.0
        assert store.policies
        await store.aclose()


def write(folder: Path, text: str | bytes, name: str = "own.cedar") -> None:
    """Replace a file as an editor does."""
    fresh = folder / "fresh"
    fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
    fresh.rename(folder / name)


async def test_a_missing_folder_means_the_built_in_policies(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path / "none", read)
    assert "operator-key" in store.policies.policies


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_wrong_files_refuse_to_start_and_the_error_names_them(tmp_path: Path, broken: str | bytes) -> None:
    write(tmp_path, broken)
    with pytest.raises(SettingsError, match=r"own\.cedar"):
        PolicyStore(tmp_path, read)


def test_wrong_tables_refuse_to_start(tmp_path: Path) -> None:
    write(tmp_path, "[roles]\na = 3", "policy.toml")
    with pytest.raises(SettingsError, match=r"policy\.toml"):
        PolicyStore(tmp_path, read)


@pytest.mark.requirement("AUT-03")
async def test_a_changed_file_counts_without_a_restart(tmp_path: Path) -> None:
    time, trail = Time(), Trail()
    store = PolicyStore(tmp_path, read, monotonic=time, recorder=trail)
    engine = Town().engine(policies=store)
    assert not (await decided(engine, BOB, entry())).allowed
    write(tmp_path, PERMIT)
    assert not (await decided(engine, BOB, entry())).allowed, "looked at once a second at most"
    await looked(store, time)
    assert (await decided(engine, BOB, entry())).policy == "bobs"
    (tmp_path / "own.cedar").unlink()
    await store.reload()
    assert not (await decided(engine, BOB, entry())).allowed
    assert [(one.kind, one.action) for one in trail.records] == [("policy", "load")] * 2


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
async def test_a_file_that_breaks_changes_nothing_and_is_told_once(
    tmp_path: Path, broken: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    time, trail = Time(), Trail()
    write(tmp_path, PERMIT)
    store = PolicyStore(tmp_path, read, monotonic=time, recorder=trail)
    before = store.policies
    write(tmp_path, broken)
    for second in range(1, 5):
        time.now = float(second)
        assert store.policies is before
        await store.aclose()
    assert len([record for record in caplog.records if "those before hold still" in record.message]) == 1
    assert [(one.action, one.revision) for one in trail.records] == [("refuse", before.revision)]
    with pytest.raises(SettingsError, match=r"own\.cedar"):
        await store.reload()
    assert store.policies is before
    write(tmp_path, FORBID)
    await looked(store, time)
    assert "no" in store.policies.policies


async def test_a_file_that_is_gone_keeps_what_it_said_until_a_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, trail = Time(), Trail()
    write(tmp_path, FORBID)
    write(tmp_path, "[[resource]]\ncapabilities = ['*']\nmin_trust = 9", "policy.toml")
    store = PolicyStore(tmp_path, read, monotonic=time, recorder=trail)
    revision = store.policies.revision
    (tmp_path / "own.cedar").unlink()
    for _ in range(3):
        await looked(store, time)
    assert store.policies.revision == revision
    write(tmp_path, PERMIT, "more.cedar")
    await looked(store, time)
    assert {"no", "bobs"} <= store.policies.policies.keys(), "other files count all the same"
    assert len([record for record in caplog.records if "own.cedar" in record.message]) == 2, "once for each state"
    assert [one.action for one in trail.records] == ["refuse", "refuse", "load"]
    assert "own.cedar" in trail.records[0].reason
    assert "no" not in (await store.reload()).policies


async def test_a_folder_that_is_gone_for_a_while_opens_nothing(tmp_path: Path) -> None:
    time, folder = Time(), tmp_path / "policy"
    folder.mkdir()
    write(folder, FORBID)
    store = PolicyStore(folder, read, monotonic=time)
    folder.rename(tmp_path / "elsewhere")
    await looked(store, time)
    assert "no" in store.policies.policies
    (tmp_path / "elsewhere").rename(folder)
    write(folder, PERMIT)
    await looked(store, time)
    assert "bobs" in store.policies.policies
    assert "no" not in store.policies.policies, "the file is there again, and says something else"


def test_a_folder_that_is_none_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("")
    with pytest.raises(SettingsError, match="policy"):
        PolicyStore(tmp_path / "policy", read)


async def test_the_moment_in_which_an_editor_has_emptied_a_file_counts_for_nothing(tmp_path: Path) -> None:
    time = Time()
    write(tmp_path, FORBID)
    store = PolicyStore(tmp_path, read, monotonic=time)
    (tmp_path / "own.cedar").write_text("")
    time.now += 1.0
    assert "no" in store.policies.policies
    await store.aclose()
    (tmp_path / "own.cedar").write_text(FORBID + PERMIT)
    time.now += 1.0
    assert store.policies
    await store.aclose()
    assert store.policies.policies.keys() >= {"no"}
    await looked(store, time)
    assert store.policies.policies.keys() >= {"no", "bobs"}


async def test_what_changes_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    time, readings = Time(), 0

    def tables(text: str, place: str) -> PolicyConfig:
        nonlocal readings
        readings += 1
        if readings == 2:  # the editor empties the file between the looks and the reading
            (tmp_path / "own.cedar").write_text("")
        return read(text, place)

    write(tmp_path, FORBID)
    store = PolicyStore(tmp_path, tables, monotonic=time)
    write(tmp_path, PERMIT)
    await looked(store, time)
    assert (readings, "no" in store.policies.policies) == (2, True)


DEEP = "a = " + "[" * 5000


def test_tables_without_an_end_to_their_brackets_refuse_to_start(tmp_path: Path) -> None:
    write(tmp_path, DEEP, "policy.toml")
    with pytest.raises(SettingsError, match=r"policy\.toml"):
        PolicyStore(tmp_path, read)


CONDITIONS = {
    "brackets": "(" * 5000 + "true" + ")" * 5000,
    "sets": "[" * 5000 + "]" * 5000 + ".isEmpty()",
    "records": "{a: " * 5000 + "1" + "}" * 5000 + ".a == 1",
    "ifs": "if true then " * 50000 + "true" + " else false" * 50000,
    "chain": " || ".join(["true"] * 50000),
    "sum": "+".join(["1"] * 50000) + " == 1",
    "path": "context" + ".a" * 50000,
    "names": " || ".join(['principal.id == "x"'] * 1500),
}


@pytest.mark.parametrize("form", CONDITIONS)
def test_policies_that_the_parser_would_not_survive_refuse_to_start(tmp_path: Path, form: str) -> None:
    write(tmp_path, f'@id("x") permit (principal, action, resource) when {{ {CONDITIONS[form]} }};')
    with pytest.raises(SettingsError, match=r"own\.cedar.*(more than|too many)"):
        PolicyStore(tmp_path, read)


def test_large_files_of_shallow_policies_are_read(tmp_path: Path) -> None:
    names = ", ".join(f'Moothall::Agent::"did:wba:a.example:{n}"' for n in range(3000))
    others = (
        f'@id("x{n}") permit (principal, action, resource) when {{ principal.id != "((.&&" && principal.verified }};'
        for n in range(1200)
    )
    many = f'@id("many") permit (principal, action, resource) when {{ principal in [{names}] }};'
    write(tmp_path, "// ((((\n" * 200 + many + "\n".join(others))
    assert {"many", "x1199"} <= PolicyStore(tmp_path, read).policies.policies.keys()


@pytest.mark.parametrize("fault", ["deep", "plug-in"])
async def test_whatever_goes_wrong_in_a_reading_is_told_and_the_next_change_is_followed(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    def tables(text: str, place: str) -> PolicyConfig:
        if "fails" in text:
            raise ZeroDivisionError
        return read(text, place)

    time, trail = Time(), Trail()
    store = PolicyStore(tmp_path, tables, monotonic=time, recorder=trail)
    write(tmp_path, DEEP if fault == "deep" else "# fails", "policy.toml")
    await looked(store, time)
    assert [one.action for one in trail.records] == ["refuse"]
    assert "those before hold still" in caplog.text
    write(tmp_path, "[roles.inherits]\nboss = ['staff']", "policy.toml")
    await looked(store, time)
    assert [one.action for one in trail.records] == ["refuse", "load"]


async def test_a_file_that_cannot_be_read_for_a_while_is_told_once_and_counts_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, PERMIT)
    trail, time = Trail(), Time()
    store = PolicyStore(tmp_path, read, recorder=trail, monotonic=time)

    def unread(path: Path) -> str:
        raise OSError(24, "Too many open files")

    write(tmp_path, FORBID)
    with monkeypatch.context() as patched:
        patched.setattr("moothall.policy.store.read_plain", unread)
        for _ in range(3):
            await looked(store, time)
    assert set(store.policies.policies) & {"bobs", "no"} == {"bobs"}
    assert [(one.action, "Too many open files" in one.reason) for one in trail.records] == [("refuse", True)]
    assert caplog.text.count("cannot be read") == 2, "the log's line, with the reason in it"
    await looked(store, time)
    assert set(store.policies.policies) & {"bobs", "no"} == {"no"}, "nobody has touched the file since"
    assert [one.action for one in trail.records] == ["refuse", "load"]


async def test_others_who_read_the_tables_refuse_the_whole_and_change_with_it(tmp_path: Path) -> None:
    used: list[str] = []

    def validated(text: str) -> object:
        if "wrong" in text:
            raise SettingsError("policy.toml: approvals: wrong")
        return lambda: used.append(text)

    store = PolicyStore(tmp_path, lambda text, place: read("", place), validated=validated)  # type: ignore[arg-type]
    write(tmp_path, "[approvals]", "policy.toml")
    await store.reload()
    write(tmp_path, "wrong", "policy.toml")
    write(tmp_path, FORBID)
    with pytest.raises(SettingsError):
        await store.reload()
    assert used == ["", "[approvals]"]
    assert "no" not in store.policies.policies


def test_a_set_that_says_the_same_has_the_same_revision(tmp_path: Path) -> None:
    one, other = PolicyStore(tmp_path, read).policies, PolicyStore(tmp_path, read).policies
    assert one.revision == other.revision
    write(tmp_path, "[roles.inherits]\nboss = ['staff']", "policy.toml")
    assert PolicyStore(tmp_path, read).policies.revision != one.revision


@pytest.mark.requirement("AUT-03")
async def test_every_answer_under_a_change_is_of_one_of_the_two_sets(tmp_path: Path) -> None:
    """Policies change to and fro while calls go on: each answer is what its own revision says."""
    write(tmp_path, PERMIT)
    store = PolicyStore(tmp_path, read)
    engine = Town(PartyFacts(id=BOB.id)).engine(policies=store)
    capabilities = [entry(name=f"f{n}") for n in range(5)]
    texts = {store.policies.revision: ("allow", PERMIT)}
    write(tmp_path, PERMIT + FORBID)
    texts[(await store.reload()).revision] = ("deny", PERMIT + FORBID)
    chosen = random.Random(7)
    answers = []
    done = asyncio.Event()

    async def caller() -> None:
        while not done.is_set():
            found = await decided(engine, BOB, chosen.choice(capabilities))
            answers.append((found.effect, found.revision))
            await asyncio.sleep(0)

    async def change() -> None:
        for turn in range(6):
            write(tmp_path, list(texts.values())[turn % 2][1])
            await store.reload()
        done.set()

    await asyncio.gather(change(), *(caller() for _ in range(4)))
    assert {revision for _, revision in answers} == set(texts)
    assert all(effect == texts[revision][0] for effect, revision in answers)
