"""The sample of each shipped loader, and what becomes of it. `python -m tests.loader_samples` writes the expected anew.

Of a sample `crm.csv`, `crm.expected.jsonl` has a line a record: the event, or the code of its refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from identity_graph.errors import InputError
from identity_graph.files import data_folder
from identity_graph.loaders import event_view, known_loaders, read_loader, try_file
from identity_graph.loaders.unfold import unfolder
from identity_graph.model import Refused
from identity_graph.records import Reader
from identity_graph.times import parse_time

NOW = parse_time("2026-06-01T00:00:00Z")
SAMPLES = data_folder("loaders") / "samples"


def sample_file(name: str) -> Path:
    (path,) = [path for path in SAMPLES.glob(f"{name}.*") if ".expected." not in path.name]
    return path


def expected_file(name: str) -> Path:
    return SAMPLES / f"{name}.expected.jsonl"


def records(name: str) -> list[dict[str, Any]]:
    """Those of the sample that can be read at all, made plain where the loader says so."""
    loader = read_loader(name)
    plain = unfolder(loader.file) or (lambda record: record)
    found = []
    with Reader(sample_file(name), loader.form) as reader:
        for _, record in reader:
            with suppress(InputError):
                found += [] if isinstance(record, Refused) else [dict(plain(record))]
    return found


def outcome(name: str) -> Iterator[dict[str, Any]]:
    for origin, found in try_file(read_loader(name), sample_file(name), received=NOW, time=NOW):
        if isinstance(found, Refused):
            yield {"line": origin.line, "refused": found.code}
        else:
            yield {"line": origin.line} | event_view(found)


if __name__ == "__main__":
    for name in known_loaders():
        lines = [orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in outcome(name)]
        expected_file(name).write_bytes(b"".join(lines))
