"""`python -m identity_graph`: the command line."""

from identity_graph.cli import main

main()
