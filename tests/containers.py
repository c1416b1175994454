"""The services of docker-compose.yml as processes of this machine, by what the file declares: no engine is needed.

What stands in for what: for an image's files a folder that holds only what its COPY lines bring; for its Python a
virtual environment into which its own command installs that, beside the dependencies of the tests; for names of
services loopback, and for their ports free ones. Whoever is the user in the image, here it is that of the tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

NOT_IN_A_CHECKOUT = shutil.ignore_patterns("__pycache__", "_data")


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """As compose does it: `${NAME:-default}`."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: environment.get(match[1]) or match[2], text)


class Container:
    """A service in the folder `root`. `stands_for` are words of its commands and of its environment, and what is here
    instead; `variables` are those of whoever calls compose."""

    def __init__(
        self,
        service: Mapping[str, Any],
        root: Path,
        stands_for: Mapping[str, str],
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._service, self._root, self._folder = service, root, root
        self._stands_for, self._variables = dict(stands_for), variables
        self._bin = root / "venv" / "bin"
        self.command: list[str] = []

    def build(self, context: Path) -> None:
        """What the Dockerfile says, a line at a time."""
        venv.create(self._bin.parent, with_pip=True, symlinks=True)
        own = Path(sysconfig.get_path("purelib", vars={"base": str(self._bin.parent)}))
        (own / "tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        for line in self._service["build"]["dockerfile_inline"].splitlines():
            name, _, said = line.partition(" ")
            if name == "WORKDIR":
                self._folder = self.path(said)
                self._folder.mkdir(exist_ok=True)
                self._stands_for |= {said: str(self._folder)}
            elif name == "COPY":
                *sources, target = said.split()
                for source in sources:
                    _copy(context / source, self._folder / target)
            elif name == "RUN" and said.startswith("pip "):
                environment = os.environ | {"PATH": self._path, "PIP_NO_COMPILE": "1"}
                done = subprocess.run(
                    said, shell=True, cwd=self._folder, env=environment, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stdout + done.stderr
            elif name == "CMD":
                self.command = json.loads(said)

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """As `docker compose exec` does, and the engine for a health check."""
        return subprocess.run(self._here(command), capture_output=True, text=True, check=False, **self._inside)

    def healthy(self) -> bool:
        kind, *command = self._service["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(command).returncode == 0

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        with (self._root / "log").open("wb") as log:
            process = subprocess.Popen(self._here(self.command), stdout=log, stderr=subprocess.STDOUT, **self._inside)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def path(self, inside: str) -> Path:
        return self._root / inside.lstrip("/")

    @property
    def log(self) -> str:
        return (self._root / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def _path(self) -> str:
        return f"{self._bin}:/usr/bin:/bin"

    @property
    def _inside(self) -> dict[str, Any]:
        """Nothing of the environment of the tests."""
        said = {name: self._replaced(str(value)) for name, value in self._service["environment"].items()}
        return {"cwd": self._folder, "env": {"PATH": self._path, "HOME": str(self._root)} | said}

    def _here(self, command: Sequence[str]) -> list[str]:
        first, *others = map(self._replaced, command)
        found = shutil.which(first, path=self._path)
        assert found, f"{first} is not in the image"
        return [found, *others]

    def _replaced(self, text: str) -> str:
        text = interpolated(text, self._variables)
        for one, other in self._stands_for.items():
            text = re.sub(rf"(?<![\w.]){re.escape(one)}(?!\w)", other, text)
        return text


def _copy(source: Path, target: Path) -> None:
    """The content of a folder goes into the target, as Docker has it."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=NOT_IN_A_CHECKOUT)
    else:
        shutil.copy2(source, target)
