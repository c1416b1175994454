"""GraphiQL, for whoever tries queries in a browser. It comes with the package and asks nobody else for anything."""

from __future__ import annotations

import base64
import hashlib

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from identity_graph.errors import SettingError
from identity_graph.files import data_folder

_START = """
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher: GraphiQL.createFetcher({ url: location.pathname }) }))
"""

GRAPHIQL = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>identity-graph</title>
<link rel="stylesheet" href="graphiql/graphiql.css">
<style>html, body, #graphiql {{ height: 100%; margin: 0 }}</style>
<div id="graphiql"></div>
<script src="graphiql/react.js"></script>
<script src="graphiql/react-dom.js"></script>
<script src="graphiql/graphiql.js"></script>
<script>{_START}</script>
</html>
"""

GRAPHIQL_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; font-src data:; style-src 'self' 'unsafe-inline'; "
    f"script-src 'self' 'sha256-{base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()}'"
)


def graphiql_files() -> Mount:
    """Raises SETTING_INVALID where the package was built without them."""
    folder = data_folder("graphiql")
    if not folder.is_dir():
        raise SettingError(
            "SETTING_INVALID",
            "IDENTITY_GRAPH_GRAPHIQL: this package was built without GraphiQL",
            help="Install Node.js, which brings npm, and then identity-graph again; or unset the variable.",
        )
    return Mount("/graphiql", StaticFiles(directory=folder))
