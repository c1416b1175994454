"""Calling the command line in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from identity_graph.cli import app
from identity_graph.errors import CODES

ROOT = Path(__file__).parents[2]
RUNNER = CliRunner()


def run(*arguments: str | Path, input: str | bytes | None = None, status: int = 0) -> Result:
    """Call the command line here and check how it ends."""
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], input=input)
    assert result.exit_code == status, (result.stdout, result.stderr, result.exception)
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments: str | Path, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status).stdout)


def failure(*arguments: str | Path, status: int, input: str | None = None) -> str:
    """The code of an error, after checking that it says what was wrong and what to do."""
    result = run(*arguments, "--json", status=status, input=input)
    error = json.loads(result.stderr)["error"]
    assert error["code"] in CODES and error["message"] and error["help"]
    return str(error["code"])


def failure_of(result: Result) -> str:
    return str(json.loads(result.stderr[result.stderr.index("{") :])["error"]["code"])


def on_terminal(*arguments: str | Path, typed: str = "") -> tuple[int, str]:
    """Call it in a process whose standard input and error are a terminal: the status, and what is shown there."""
    pty = pytest.importorskip("pty", reason="this needs a terminal, and the system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "identity_graph", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    with suppress(OSError):  # as Linux says when the other side is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    return process.wait(timeout=120), shown.decode()
