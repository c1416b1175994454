"""The README's blocks, run in order in one folder, as a reader would: what each says, and what really came out.

Blocks marked as ```console neo4j are run by themselves, in another folder, on an empty database of a server.

`python -m tests.readme_session` writes README.md anew: the parts that are made from the code, and the output of every
command that no longer prints what the page says. What differs each time is written as `...`.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from identity_graph.store.neo4j.address import Address
from tests.neo4j.database import emptied
from tests.neo4j.launcher import Neo4j
from tests.neo4j.port import USUAL, free_port
from tests.readme import PART, README, ROOT, generated

BLOCK = re.compile(r"^```(\w+)( neo4j)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
PORT = "8000"
SERVER = Neo4j(port=USUAL).url  # as `make neo4j` prints it


@dataclass(frozen=True)
class Step:
    """A command or example: what the page says that it prints (`said`, at `start`), and what it `printed`."""

    command: str
    said: str
    start: int
    printed: str

    @property
    def agrees(self) -> bool:
        return doctest.OutputChecker().check_output(self.said, self.printed, doctest.ELLIPSIS)


def blocks(readme: str, *, neo4j: bool = False) -> Iterator[tuple[str, str, int]]:
    """Language, text and place of each block outside of the generated parts; of those that need a server, or not."""
    outside = PART.sub(lambda match: " " * len(match[0]), readme)
    for match in BLOCK.finditer(outside):
        if bool(match[2]) == neo4j:
            yield match[1], match[3], match.start(3)


def commands(readme: str, *, neo4j: bool = False) -> list[tuple[str, int]]:
    """Each command of the console, and where its output stands."""
    return [
        (match[1], start + match.start(2))
        for language, text, start in blocks(readme, neo4j=neo4j)
        if language == "console"
        for match in COMMAND.finditer(text)
    ]


@dataclass
class Session:
    """A folder, an environment, and servers to stop at the end.

    With the URL of an empty Neo4j, which then stands for SERVER, it runs the blocks that need one.
    """

    folder: Path
    neo4j: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    status: int = 0
    names: dict[str, Any] = field(default_factory=dict)
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Session:
        programs = self.folder / "bin"
        programs.mkdir()
        program = programs / "identity-graph"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m identity_graph "$@"\n')
        program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_GRAPH_")}
        self.port = str(free_port())
        self.environment = kept | {
            "PATH": f"{programs}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": str(ROOT),
            "IDENTITY_GRAPH_PORT": self.port,
            "XDG_DATA_HOME": str(self.folder / "data"),
        }
        self.work = self.folder / "work"
        self.work.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=120)
            if server.stdout:
                server.stdout.close()

    def run(self, readme: str) -> Iterator[Step]:
        for language, text, start in blocks(readme, neo4j=bool(self.neo4j)):
            if language == "console":
                for match in COMMAND.finditer(text):
                    yield Step(match[1], match[2], start + match.start(2), self.command(match[1]))
            elif language == "python":
                yield from self.examples(text, start)
            elif file := re.match(r"# ([\w.-]+)\n", text):
                (self.work / file[1]).write_text(text, encoding="utf-8")

    def command(self, command: str) -> str:
        words = shlex.split(command, comments=True)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environment[name] = self.neo4j if self.neo4j and value == SERVER else value
            return ""
        if words[0] == "unset":
            del self.environment[words[1]]
            return ""
        if command.endswith("&"):
            return self.start(command.removesuffix("&"))
        script = f"(exit {self.status}); {command.replace(f':{PORT}/', f':{self.port}/')}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        self.status = done.returncode
        output = done.stdout if not done.stdout or done.stdout.endswith("\n") else done.stdout + "\n"
        return self._as_shown(output)

    def start(self, command: str) -> str:
        """In the background; answers its first line."""
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.servers.append(server)
        assert server.stdout
        return self._as_shown(server.stdout.readline())

    def _as_shown(self, output: str) -> str:
        """With the addresses of the page."""
        if self.neo4j:
            output = output.replace(str(Address.parse(self.neo4j)), str(Address.parse(SERVER)))
        return output.replace(f":{self.port}/", f":{PORT}/")

    def examples(self, text: str, start: int) -> Iterator[Step]:
        """All blocks of Python share their names and run in the folder."""
        here = Path.cwd()
        os.chdir(self.work)
        try:
            position = 0
            for example in doctest.DocTestParser().get_examples(text):
                position = text.index(example.source.splitlines()[0], position)
                said_at = text.find(example.want, position) if example.want else _after(text, example, position)
                yield Step(example.source.rstrip(), example.want, start + said_at, self._example(example))
        finally:
            os.chdir(here)

    def _example(self, example: doctest.Example) -> str:
        heard: list[str] = []

        class Runner(doctest.DocTestRunner):
            def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
                heard.append(got)

            def report_failure(self, out: Any, test: Any, example: Any, got: str) -> None:
                heard.append(got)

            def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
                heard.append(f"{exc_info[0].__name__}: {exc_info[1]}\n")

        here = doctest.Example(example.source.replace(f":{PORT}/", f":{self.port}/"), example.want)
        test = doctest.DocTest([here], self.names, "README", None, 0, None)
        Runner(verbose=False).run(test, out=lambda text: None, clear_globs=False)
        self.names.update(test.globs)
        return "".join(heard)


def _after(text: str, example: doctest.Example, position: int) -> int:
    """Where the lines of an example end."""
    for _ in example.source.splitlines():
        position = text.index("\n", position) + 1
    return position


def masked(printed: str) -> str:
    """Without what differs each time: ids, digests, and times of today."""
    now = datetime.now(UTC)
    begins = f"{int(now.timestamp() * 1000):012x}"[:5]  # as every id made in this year
    printed = re.sub(rf"\b{begins}[0-9a-f]{{3}}-[0-9a-f]{{4}}-7[0-9a-f-]{{21}}", "...", printed)
    printed = re.sub(r"\b[0-9a-f]{64}\b", "...", printed)
    return re.sub(rf"{now:%Y-%m-%d}T[0-9:.]+Z", "...", printed)


def rewritten(readme: str, neo4j: str) -> str:
    readme = generated(readme)
    steps: list[Step] = []
    for url in ("", emptied(neo4j)):
        with TemporaryDirectory() as folder, Session(Path(folder), url) as session:
            steps += session.run(readme)
    for step in sorted(steps, key=lambda step: step.start, reverse=True):
        if not step.agrees:
            readme = readme[: step.start] + masked(step.printed) + readme[step.start + len(step.said) :]
    return readme


if __name__ == "__main__":
    with ExitStack() as stack:
        url = os.environ.get("IDENTITY_GRAPH_TEST_NEO4J") or stack.enter_context(Neo4j()).url
        README.write_text(rewritten(README.read_text(encoding="utf-8"), url), encoding="utf-8")
