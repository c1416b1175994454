"""Runs a command that ends with the process that asked for it, however that one ends.

    python watcher.py LOG HOME COMMAND...

Prints the command's process id and appends its output to LOG. Each byte on standard input is the number of a signal
for the command. When the input ends, or the process that started this one is gone, the command is killed and the
folder HOME removed, unless that is an empty word.

A parent-death signal would do less: it comes when the thread that started the command ends, and only on Linux.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

LOOK = 0.2  # seconds: how soon it is seen that the command ended, or the parent whose children hold the pipe open


def watch(log: str, home: str, *command: str) -> int:
    parent = os.getppid()
    with Path(log).open("ab") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    print(child.pid, flush=True)
    while child.poll() is None:
        orphan = os.getppid() != parent
        if not orphan and select.select([0], [], [], LOOK)[0]:
            signals = os.read(0, 1)
            orphan = not signals
            for number in signals:
                child.send_signal(number)
        if orphan:
            child.kill()
            child.wait()
            if home:
                shutil.rmtree(home, ignore_errors=True)
    return child.returncode


if __name__ == "__main__":
    sys.exit(watch(*sys.argv[1:]))
