"""The Java that runs the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.neo4j.jars import NEEDED, Unavailable


@dataclass(frozen=True)
class Java:
    path: str
    build: str  # all that `java -version` says

    @property
    def major(self) -> int:
        """
        >>> Java("java", 'openjdk version "17.0.15" 2025-04-15').major, Java("java", 'java version "1.8.0_202"').major
        (17, 1)
        """
        match = re.search(r'version "(\d+)', self.build)
        return int(match[1]) if match else 0


def find_java() -> Java:
    """That of JAVA_HOME, else the first on the PATH. Raises Unavailable, also if it is too old."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(Path(home, "bin", "java") if home else "java") or shutil.which("java")
    if path is None:
        raise Unavailable(f"{NEEDED}. There is no java on the PATH.")
    done = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    java = Java(path, done.stderr)
    if java.major < 17:
        raise Unavailable(f"{NEEDED}. {path} is {java.build.splitlines()[0] if java.build else 'no Java that works'}.")
    return java
