"""Who asks, and what it may do: roles, API keys and tokens."""

from identity_graph.access.caller import Caller
from identity_graph.access.door import Door
from identity_graph.access.rules import AccessRules, Role

__all__ = ["AccessRules", "Caller", "Door", "Role"]
