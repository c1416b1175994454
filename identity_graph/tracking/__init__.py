"""What tracking libraries of the Segment spec send: taken one message at a time, stored many in one transaction."""

from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys

__all__ = ["Tracking", "WriteKeys"]
