"""Processes that this one begins to have another interpreter work for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def begin_process(module: str, stdin: int = subprocess.PIPE, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """One that runs `main` of a module of this package, which reads what it is to do from standard input, and ends with
    that. Raises OSError."""
    path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        # -P: or Python would look for modules in the working directory first
        [sys.executable, "-P", "-c", f"from {module} import main; main()"],
        stdin=stdin,
        stdout=stdout,
        env=os.environ | {"PYTHONPATH": path},
        process_group=0,  # an interrupt of the terminal is for this process, which then ends that one
    )
