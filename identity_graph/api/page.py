"""What a browser sees at /graphql. It needs nothing from anywhere else."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>identity-graph</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
pre { background: #8881; padding: 1rem; overflow-x: auto; border-radius: 6px; }
</style>
<h1>identity-graph</h1>
<p>This is a GraphQL endpoint. Send requests by POST, as JSON:</p>
<pre>curl http://localhost:8000/graphql \\
  -H 'content-type: application/json' \\
  -d '{"query": "query ($by: PersonBy!) { person(by: $by) { id profile { values } } }",
       "variables": {"by": {"identifier": {"namespace": "email", "value": "ann@example.org"}}}}'</pre>
<p>Queries may also come by GET, with <code>query</code>, <code>variables</code> and <code>operationName</code>
in the URL. The schema is at <a href="schema.graphql">/schema.graphql</a> and open to introspection, unless that was
turned off. Whether the service is well: <a href="health">/health</a>.</p>
</html>
"""
