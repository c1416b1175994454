"""What changes of segments say of themselves."""

from __future__ import annotations

SEGMENT = "segment"
"""Their cause."""

ENTERED = "meets the condition"
LEFT = "meets the condition no more"
DELETED = "the segment was deleted"
RETIRED = "the person is no more, or part of another"
