"""What the comments at the head of each file in `cypher/` say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from identity_graph.files import data_folder

FOLDER = data_folder("cypher")
FILES = sorted(
    str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.cypher") if path.parent != FOLDER
)
EXPLORE = [name for name in FILES if name.startswith("explore/")]


@dataclass(frozen=True)
class Head:
    purpose: list[str]
    parameters: dict[str, str]  # with their types
    examples: dict[str, str]  # of parameters, as one types them in Neo4j Browser
    returned: list[str]  # columns


def head(name: str) -> Head:
    found = Head([], {}, {}, [])
    for line in (FOLDER / f"{name}.cypher").read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            break
        text = line[2:].strip()
        if text.startswith("$"):
            parameter, _, rest = text[1:].partition(" ")
            found.parameters[parameter] = rest.partition(":")[0]
        elif example := re.fullmatch(r":param (\w+) => (.+)", text):
            found.examples[example[1]] = example[2]
        elif text.startswith("returns:"):
            found.returned.extend(column.strip() for column in text.removeprefix("returns:").split(","))
        else:
            found.purpose.append(text)
    return found
