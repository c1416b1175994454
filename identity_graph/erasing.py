"""Words of erasures that are under way: what was asked, and how far it came. Nothing here names anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import orjson

from identity_graph.model import SharedRule


class ErasureState(StrEnum):
    """RESTRICTED: nobody sees the person. DELETED: nothing is left of it but bytes in files. SCRUBBED: nor those.
    REFUSED: nothing was erased, see the code."""

    RESTRICTED = "RESTRICTED"
    DELETED = "DELETED"
    SCRUBBED = "SCRUBBED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """`hidden` are numbers of identifiers that it restricted. `document` is the receipt, not signed before all is done.
    Of a batch `line` is where it was asked. `shared` is the rule by which it was asked for.
    """

    id: str
    state: ErasureState
    requested: int
    person_id: str = ""
    token: str = ""
    hidden: tuple[int, ...] = ()
    code: str = ""
    batch: str = ""
    line: int = 0
    shared: SharedRule = SharedRule.DETACH
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state in (ErasureState.RESTRICTED, ErasureState.DELETED)

    def pack(self) -> str:
        """As stores keep it."""
        return orjson.dumps(self).decode()

    @classmethod
    def unpack(cls, text: str) -> Self:
        """
        >>> one = ErasureRequest("id", ErasureState.DELETED, 12, "p1", hidden=(1,), document={"events": 3})
        >>> ErasureRequest.unpack(one.pack()) == one
        True
        """
        found = orjson.loads(text)
        read = {
            "state": ErasureState(found["state"]),
            "hidden": tuple(found["hidden"]),
            "shared": SharedRule(found.get("shared", SharedRule.DETACH)),
        }
        return cls(**found | read)
