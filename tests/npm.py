"""Packages of npm: fetched once, then taken from a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def node_with(package: Path) -> tuple[str, Path]:
    """Node, and the folder from which it finds what this `package.json` names. Without Node the test is skipped; where
    there is Node but no packages, that fails in CI, where nobody reads skips."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip(f"{package.parent.name} needs packages of npm: install Node.js 20 or newer")
    cache = ROOT / ".cache" / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / hashlib.sha256(package.read_bytes()).hexdigest()[:8]
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            shutil.copy(package, folder / "package.json")
            command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode:
                reason = f"npm could not install what {package} names: {done.stderr[-500:]}"
                if os.environ.get("CI"):
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)
            (folder / "complete").touch()
    return node, folder
