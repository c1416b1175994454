"""The cache of jars, with the real Maven; and what is said where a server cannot be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.conftest import ELSEWHERE, without_neo4j
from tests.neo4j.jars import ROOT, Unavailable, fetched, without_signature
from tests.neo4j.java import Java, find_java

POM = """
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>identity-graph</groupId><artifactId>small</artifactId><version>{}</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>${{project.version}}</version></dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version></plugin>
    </plugins>
  </build>
</project>
"""
BREAKING = """#!/bin/sh
for last; do :; done  # -DoutputDirectory=...
mkdir -p "${last#*=}"
touch "${last#*=}/half.jar"
echo "[ERROR] \x1b[1mthe line was cut\x1b[m"
exit 1
"""
FETCH = "import sys, pathlib; from tests.neo4j.jars import fetched; print(fetched(pathlib.Path(sys.argv[1])))"


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDENTITY_GRAPH_NEO4J_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_jars_are_fetched_once_also_by_two_at_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        without_neo4j("Maven is not installed: apt-get install maven")
    calls = tmp_path / "calls"
    counting = script(tmp_path / "bin" / "mvn", f'#!/bin/sh\necho call >> "{calls}"\nexec "{maven}" "$@"\n')
    monkeypatch.setenv("PATH", f"{counting.parent}:{os.environ['PATH']}")
    pom = tmp_path / "small.xml"
    pom.write_text(POM.format("2.0.17"), encoding="utf-8")

    command = [sys.executable, "-c", FETCH, str(pom)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    folders = {process.communicate(timeout=300)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert folders == {str(fetched(pom))}
    assert [jar.name for jar in fetched(pom).iterdir()] == ["slf4j-api-2.0.17.jar"]
    assert calls.read_text().split() == ["call"]

    # Another version is another folder; what a broken fetch of it left there is not taken for a jar.
    first = fetched(pom)
    pom.write_text(POM.format("1.7.32"), encoding="utf-8")
    script(counting, BREAKING)
    with pytest.raises(Unavailable, match=r"could not fetch small\.xml:\n\[ERROR\] the line was cut\n"):
        fetched(pom)
    assert [path.suffix for path in cache.iterdir() if "1.7.32" in path.name] == [".partial"]
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[2])
    assert [jar.name for jar in fetched(pom).iterdir()] == ["slf4j-api-1.7.32.jar"]
    assert first.is_dir() and first != fetched(pom)


def test_a_java_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "bin" / "java", "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match=r"Java 17 or newer.* is openjdk version \"11\.0\.2\""):
        find_java()
    assert Java("java", "").major == 0


def test_without_java_the_skip_is_loud(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": str(tmp_path), "CI": "", "PYTHONPATH": str(ROOT)}
    environment = {name: text for name, text in environment.items() if name not in {"JAVA_HOME", ELSEWHERE}}
    test = "tests/neo4j/test_launcher.py::test_it_answers_and_has_the_versions_of_the_poms"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 skipped" in done.stdout.splitlines()[-1]
    said = " ".join(done.stdout.split())
    for words in ("Java 17 or newer and Maven", "apt-get install", f"{ELSEWHERE}=neo4j://", "no java on the PATH"):
        assert words in said


def test_in_a_ci_a_skip_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no java"):
        without_neo4j("no java")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no java"):
        without_neo4j("no java")


def test_what_is_left_of_a_signed_jar_is_the_same_without_its_signature(tmp_path: Path) -> None:
    path, classes = tmp_path / "some.jar", {"a/B.class": b"\xca\xfe", "META-INF/services/a.B": b"a.B\n"}
    manifest = "Manifest-Version: 1.0\r\nMulti-Release: true\r\n\r\n"
    with ZipFile(path, "w", ZIP_DEFLATED) as jar:
        jar.writestr("META-INF/MANIFEST.MF", f"{manifest}Name: a/B.class\r\nSHA-256-Digest: eA==\r\n\r\n")
        for name in ("META-INF/SOME.SF", "META-INF/some.rsa"):
            jar.writestr(name, "signed")
        for name, content in classes.items():
            jar.writestr(name, content)
    without_signature(path)
    with ZipFile(path) as jar:
        found = {name: jar.read(name) for name in jar.namelist()}
    assert found == {"META-INF/MANIFEST.MF": manifest.encode()} | classes
    before = path.stat()
    without_signature(path)
    assert path.stat() == before
