"""The databases that tests run on: SQLite always, PostgreSQL where one answers.

`MOOTHALL_TEST_DATABASE_URL` says where PostgreSQL is. Where none answers, its tests are skipped and say why; with
``postgres`` in `MOOTHALL_TEST_REQUIRE` (a comma list of services that must be there) they fail instead.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import certifi
import pytest
import trustme
from hypothesis import HealthCheck, settings

from moothall.storage import migrate
from tests.support import schemas, tables
from tests.support.environment import setting_names
from tests.support.fake_llm import FakeLLM, fake_llm_thread
from tests.support.required import absence

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # how long an example takes on a machine that others use, too, says nothing

POSTGRES = os.environ.get("MOOTHALL_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")


def pytest_collection_finish() -> None:
    """Let the collector look at what tests make, and rarely: what was imported for them stays, and is most there is."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whom clients believe in tests, instead of 140 authorities that each of them would read and none would need."""
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(file))  # where the environment is not asked
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="module", autouse=True)
def _tables_at_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make SQLite's tables at once, but where the migrations themselves are tested."""
    if _of_storage(request):
        yield
        return
    tables.statements()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", tables.upgrade)
        yield


def _of_storage(request: pytest.FixtureRequest) -> bool:
    return request.path.is_relative_to(Path(__file__).with_name("storage"))


@pytest.fixture(autouse=True)
def _nobody_said_where_the_log_goes() -> Iterator[None]:
    """Every test begins with loggers that nobody set up: a command that runs in process, in a fixture, too, does so."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    _as_made(logging.getLogger("moothall"))
    yield
    root.handlers[:], root.level = handlers, level
    _as_made(logging.getLogger("moothall"))


def _as_made(logger: logging.Logger) -> None:
    logger.handlers[:], logger.propagate = [], True
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def _model_server() -> Iterator[FakeLLM]:
    with fake_llm_thread() as server:
        yield server


@pytest.fixture
async def llm(_model_server: FakeLLM) -> AsyncIterator[FakeLLM]:
    """A language model of our own to ask, with nothing scripted and nothing remembered."""
    _model_server.forget()
    yield _model_server
    _model_server.release()
    await _model_server.idle()


@pytest.fixture(scope="session", autouse=True)
def _schemas_are_dropped_in_the_end() -> Iterator[None]:
    yield
    if schemas.left():
        asyncio.run(_dropped())


async def _dropped() -> None:
    connection = await _connected()
    try:
        for schema in schemas.left():
            await schemas.dropped(connection, schema)
    finally:
        await connection.close()


@pytest.fixture
async def postgres_url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of an empty schema in PostgreSQL; where the migrations themselves are tested, of a new one."""
    connection = await _connected()
    try:
        schema = await schemas.taken(connection, new=_of_storage(request))
        yield f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}schema={schema}"
        await schemas.given_back(connection, schema)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'moothall.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


async def _connected() -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(POSTGRES, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        problem = str(error)
    parts = urlsplit(POSTGRES)
    raise absence("postgres", f"no PostgreSQL at {parts.hostname}:{parts.port or 5432}{parts.path}: {problem}")
