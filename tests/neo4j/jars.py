"""The jars of the server and of its plugin: fetched by Maven once, then taken from a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("server.xml")
PLUGINS = Path(__file__).with_name("plugins.xml")
NEEDED = (
    "Java 17 or newer and Maven run a real Neo4j here (apt-get install default-jre-headless maven); "
    "or set IDENTITY_GRAPH_TEST_NEO4J=neo4j://user:password@host:7687/neo4j to use a server that is already there"
)
PATIENCE = 1800.0  # seconds for 157 MB; one minute is usual
DECLARES = b"Lorg/neo4j/procedure/"  # in a class whose procedures the server is to offer
SIGNATURE = re.compile(r"META-INF/[^/]+\.(?:SF|RSA|DSA|EC)", re.IGNORECASE)
COLOURS = re.compile(r"\x1b\[\d*m")  # Maven resets them even where it was told to be quiet


class Unavailable(Exception):
    """No server can be had on this machine. The message says what to install or to set."""


def cache() -> Path:
    return Path(os.environ.get("IDENTITY_GRAPH_NEO4J_CACHE") or ROOT / ".cache" / "neo4j").absolute()


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time changes the cache; the lock goes with a process that dies. Not re-entrant."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def version(pom: Path) -> str:
    return ElementTree.parse(pom).getroot().findtext("{*}version", default="")


def fetched(pom: Path) -> Path:
    """The folder of the jars that `pom` asks for, and of those that these need.

    Another version, or another list, is another folder. Raises Unavailable.
    """
    digest = hashlib.sha256(pom.read_bytes() + SIGNATURE.pattern.encode()).hexdigest()[:8]
    folder = cache() / f"{pom.stem}-{version(pom)}-{digest}"
    if folder.is_dir():
        return folder
    with alone():
        if not folder.is_dir():
            print(f"Fetching {folder.name} into {cache()}, once ...", file=sys.stderr, flush=True)
            # What an interrupted fetch copied may be half a jar. What it had downloaded is in Maven's own repository.
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            _copy(pom, partial)
            for jar in partial.glob("*.jar"):
                without_signature(jar)
            partial.rename(folder)
    return folder


def declaring(folder: Path) -> Path:
    """Of the jars in a folder those that declare procedures, by links in another folder.

    Whenever a server starts it reads all classes of all jars of its plugins: of every jar, 17,000. What these here need
    it finds on its class path.
    """
    rule = hashlib.sha256(DECLARES).hexdigest()[:8]
    found = folder.with_name(f"{folder.name}-procedures-{rule}")
    if found.is_dir():
        return found
    with alone():
        if not found.is_dir():
            partial = found.with_name(f"{found.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            for jar in folder.glob("*.jar"):
                with ZipFile(jar) as packed:
                    classes = [name for name in packed.namelist() if name.endswith(".class")]
                    if any(DECLARES in packed.read(name) for name in classes):
                        (partial / jar.name).hardlink_to(jar)
            partial.rename(found)
    return found


def without_signature(jar: Path) -> None:
    """Maven has compared what it downloaded. A server would check the signature of a jar anew each time that it looks
    for a service there, for seconds of each start; and no archive of classes takes one of a signed jar."""
    with ZipFile(jar) as signed:
        if not any(map(SIGNATURE.fullmatch, signed.namelist())):
            return
        partial = jar.with_suffix(".partial")
        with ZipFile(partial, "w") as written:
            for entry in signed.infolist():
                content = signed.read(entry)
                if entry.filename == "META-INF/MANIFEST.MF":
                    content = re.split(rb"(?<=\n)\r?\n", content)[0] + b"\r\n"  # what follows are digests of each class
                if not SIGNATURE.fullmatch(entry.filename):
                    written.writestr(entry, content)
    partial.rename(jar)


def _copy(pom: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable(f"{NEEDED}. There is no mvn on the PATH.")
    command = [maven, "-B", "-q", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            [*command, f"-DoutputDirectory={folder}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{NEEDED}. Maven did not end within {PATIENCE:.0f} s.") from None
    if done.returncode or not folder.is_dir():
        raise Unavailable(f"{NEEDED}. Maven could not fetch {pom.name}:\n{COLOURS.sub('', done.stdout)[-2000:]}")
