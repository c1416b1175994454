"""What is shipped: the wheel, installed into a clean environment, runs the demo from an empty folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (path,) = folder.glob("identity_graph-*.whl")
    return path


def test_the_wheel_holds_its_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("graphql", "cypher", "loaders"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert here
        assert {f"identity_graph/_data/{name}" for name in here} <= names
    for path in (ROOT / "identity_graph").rglob("*"):
        if path.suffix in {".py", ".toml", ".sql", ".typed"} or path.name == "py.typed":
            assert path.relative_to(ROOT).as_posix() in names
    assert "identity_graph/policy.toml" in names


def test_the_wheel_brings_one_package_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"identity_graph"}


def test_the_demo_runs_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, symlinks=True)
    folder = tmp_path / "empty"
    folder.mkdir()
    installing = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--quiet")
    run(*installing, "--no-compile", wheel, cwd=folder)  # what the demo imports is compiled by it
    done = run(home / "bin" / "identity-graph", "demo", cwd=folder)
    assert done.stdout.rstrip().endswith("make serve")
    assert list(folder.iterdir()) == [], "the demo cleans up behind itself"
