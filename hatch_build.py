"""What the wheel holds beside the sources: GraphiQL and React from npm, in the versions and with the hashes named here.

Without npm the package is built without them, and `IDENTITY_GRAPH_GRAPHIQL` then says what is missing.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = Path("identity_graph", "_data", "graphiql")
# Package: SHA-512 as npm writes it, and the files that are taken. All of them are under the MIT licence.
PACKAGES = {
    "graphiql@3.9.0": (
        "rJYFlHdBbug9+YbFSwRVvgfPjCayC7wHecZkx/qB4XLuQPFQZw/yB9pmHFtOJV6RiNBBHro3u1GdocKa3YcGRA==",
        {"graphiql.min.js": "graphiql.js", "graphiql.min.css": "graphiql.css", "LICENSE": "LICENSE.graphiql"},
    ),
    "react@18.3.1": (
        "wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
        {"umd/react.production.min.js": "react.js", "LICENSE": "LICENSE.react"},
    ),
    "react-dom@18.3.1": (
        "5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw==",
        {"umd/react-dom.production.min.js": "react-dom.js", "LICENSE": "LICENSE.react-dom"},
    ),
}


class Assets(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        try:
            fetch(Path(self.root) / TARGET)
        except (OSError, subprocess.SubprocessError) as error:
            self.app.display_warning(f"without GraphiQL: {error}")


def fetch(target: Path) -> None:
    """Into the folder, all of them or none."""
    npm = shutil.which("npm")
    if all((target / name).is_file() for _, files in PACKAGES.values() for name in files.values()):
        return
    if npm is None:
        raise FileNotFoundError("there is no npm")
    with tempfile.TemporaryDirectory() as temporary:
        ready = Path(temporary, "ready")
        ready.mkdir()
        for package, (sha512, files) in PACKAGES.items():
            command = [npm, "pack", package, "--silent", "--pack-destination", temporary]
            subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=temporary)
            archive = Path(temporary, package.replace("@", "-") + ".tgz")
            if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != sha512:
                raise OSError(f"{package} is not what it was")
            with tarfile.open(archive) as opened:
                for inside, name in files.items():
                    member = opened.extractfile(f"package/{inside}")
                    assert member is not None
                    (ready / name).write_bytes(member.read())
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ready, target)
