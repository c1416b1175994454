"""A next version of the normaliser: an address loses its plus tag, whoever provides it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from identity_graph.former import FORMER
from identity_graph.model import Identifier

ROOT = Path(__file__).parents[2]
FORGOTTEN = "IDENTITY_GRAPH_TEST_FORGOTTEN"
normaliser: Any = importlib.import_module("identity_graph.normalise")
_mailbox_then = normaliser._mailbox


@contextmanager
def upgraded(folder: Path, *, remembered: bool = True) -> Iterator[None]:
    """Here, and in processes that begin meanwhile. Unless it is `remembered`, the rule of before is nowhere."""
    (folder / "sitecustomize.py").write_text("from tests.privacy.upgraded import begin\nbegin()\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (folder, ROOT))))
        patch.setenv(FORGOTTEN, "" if remembered else "1")
        for name in ("_mailbox", "_GMAIL"):
            patch.setattr(normaliser, name, getattr(normaliser, name))  # so that they are set back
        try:
            begin()
            yield
        finally:
            FORMER.clear()


def begin() -> None:
    normaliser._mailbox = _mailbox
    normaliser._GMAIL = ("@",)  # no address is known to be canonical without a look
    if not os.environ[FORGOTTEN]:
        FORMER["email"] = (_then,)


def _mailbox(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _then(raw: Any, region: str | None) -> Identifier:
    return Identifier("email", _mailbox_then(normaliser._text(raw, "email").lower()))
