"""`moot` as a program of its own: commands that end, and nodes that are served until the test is done with them."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

from moothall.cli.main import run
from moothall.identity.agent import AgentIdentity
from moothall.identity.keystore import Keystore
from tests.support.environment import bare_environment

MOOT = [sys.executable, "-c", "from moothall.cli.main import main; main()"]
ENVIRONMENT = {
    **{name: value for name, value in bare_environment().items() if not name.startswith("LC_")},
    "LANG": "en_GB.UTF-8",
    "PYTHONIOENCODING": "utf-8",
    "MOOTHALL_DEMO_AGENTS": "false",
}


def moot(*argv: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*MOOT, *map(str, argv)],
        cwd=cwd, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def ran(*argv: object, cwd: Path, feed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """As `moot`, without a process: for what is said and answered, where the start and the end of one add nothing."""
    words = [str(word) for word in argv]
    given, out, err = (io.TextIOWrapper(io.BytesIO(text), encoding="utf-8") for text in (feed.encode(), b"", b""))
    with (
        chdir(cwd),
        patch.dict(os.environ, ENVIRONMENT | environment, clear=True),
        patch.multiple(sys, stdin=given, stdout=out, stderr=err),
    ):
        code = run(words)
    return subprocess.CompletedProcess(words, code, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def serving(*argv: object, cwd: Path, data: str = ".moothall", **environment: str) -> Iterator[Served]:
    """A served node, from when it answers to the end of the block; it is told to stop, and ends with 0."""
    log = cwd / f"{Path(data).name}.log"
    with log.open("w") as errors, subprocess.Popen(
        [*MOOT, "serve", *map(str, argv), "--port", "0", "--data", data],
        cwd=cwd, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=errors, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.search(r"https?://[\w.:\[\]]+", told)
        assert found, told + log.read_text(encoding="utf-8")
        served = Served(found[0], cwd / data, log, process)
        try:
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    ended = -signal.SIGKILL if served.killed else 0
    assert process.returncode == ended, log.read_text(encoding="utf-8")


class Served:
    """A node that is served: its address, its folder, and the file of its log."""

    def __init__(self, url: str, data: Path, log: Path, process: subprocess.Popen[str] | None = None) -> None:
        self.url = url
        self.data = data
        self.killed = False
        self._log = log
        self._process = process

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self.killed = True
        self._process.kill()
        self._process.wait(30)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(encoding="utf-8")

    def identity(self, agent: str = "node") -> AgentIdentity:
        """The identity that an agent has at this address."""
        found = Keystore.open(self.data).load(agent, f"localhost:{self.url.rpartition(':')[2]}")
        assert found is not None
        return found

    def did(self, agent: str = "node") -> str:
        """Its DID."""
        return self.identity(agent).did.text
