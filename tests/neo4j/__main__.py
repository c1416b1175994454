"""A server to play with, until Ctrl-C: `make neo4j`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.neo4j.jars import PLUGINS, SERVER, Unavailable, version
from tests.neo4j.launcher import Neo4j, NotStarted, prepared
from tests.neo4j.port import USUAL, free_port, is_free

parser = argparse.ArgumentParser(prog="python -m tests.neo4j", description=__doc__)
parser.add_argument("home", nargs="?", type=Path, help="a folder that keeps the data; without it nothing is kept")
parser.add_argument("--without-gds", action="store_true", help="as if Graph Data Science were not installed")
parser.add_argument("--prepare", action="store_true", help="make what every server is started by, and start none")
options = parser.parse_args()

signal.signal(signal.SIGTERM, signal.default_int_handler)
plugin = "without Graph Data Science" if options.without_gds else f"with Graph Data Science {version(PLUGINS)}"
try:
    if options.prepare:
        prepared()
        sys.exit()
    with Neo4j(
        home=options.home and options.home.absolute(),
        port=USUAL if is_free(USUAL) else free_port(),
        gds=not options.without_gds,
    ) as server:
        print(f"Neo4j {version(SERVER)} Community {plugin}, for this machine only:")
        print(f"  export IDENTITY_GRAPH_STORE={server.url}")
        print("  identity-graph stats")
        kept = f"Its data stays in {options.home}." if options.home else "Nothing of it is kept."
        print(f"Ctrl-C stops it. {kept}", flush=True)
        while server.running:
            signal.sigtimedwait([], 1.0)
        sys.exit(f"The server ended by itself; see {server.log}.")
except (Unavailable, NotStarted) as error:
    sys.exit(str(error))
except KeyboardInterrupt:
    print("\nStopped.")
