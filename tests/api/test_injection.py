"""Texts that are programs elsewhere: they are kept and compared as texts, on both stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.api.conftest import Api, event
from tests.api.test_hostile import check
from tests.unit.real_files import real_file

OURS = [
    "' OR '1'='1",
    "'; DROP TABLE event; --",
    '"}) DETACH DELETE n //',
    "`}) MATCH (n) DETACH DELETE n RETURN 1 AS `a",
    "$value",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "%s%n%x",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    "(a+)+$",
    "a" * 200 + "!",
]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def payloads(mark: Path) -> list[str]:
    """What another service of this kind ran as programs once: they would make the marked file."""
    found = sorted(
        {
            text.replace("###VULN_FILE_PATH###", str(mark))
            for path in real_file("unomi/security").glob("*.json")
            for text in texts(json.loads(path.read_text()))
            if "VULN" in text
        }
    )
    assert len(found) >= 2
    return found


def kept_as_they_are(api: Api, programs: list[str]) -> None:
    told = [
        event(
            f"e{number}",
            "2025-12-01T10:00:00Z",
            "web",
            program[:200],
            {"anonymous_id": program[:200], "user_id": f"u{number}"},
            {program: program, "plan": program},
            {program: program},
        )
        for number, program in enumerate(programs)
    ]
    assert api.run("ingest", events=told)["ingest"]["accepted"] == len(programs)
    api.run("resolve")
    before = api.graph.digest()
    for number, program in enumerate(programs):
        by = {"identifier": {"namespace": "anonymous_id", "value": program[:200]}}
        values = api.run("profile", by=by)["person"]["profile"]["values"]
        assert values == {program: program, "plan": program}
        filtered = api.run("journey", by=by, filter={"names": [program[:200]]})["person"]["journey"]["nodes"]
        assert [node["id"] for node in filtered] == [f"e{number}"]
        tests: list[dict[str, Any]] = [{"equals": program}, {"in": [program]}, {"prefix": program}]
        for test in tests:
            for name in ("plan", program):
                of_trait = {"trait": {"name": name, "is": test}}
                preview = api.run("preview_segment", condition=of_trait)["previewSegment"]
                assert preview["size"] == 1, (name, test)
        condition: dict[str, Any] = {"event": {"names": [program[:200]], "is": {"range": {"from": 1}}}}
        assert api.run("preview_segment", condition=condition)["previewSegment"]["size"] == 1
        name = program[:60]
        api.run("save_segment", name=name, condition=condition)
        assert api.run("segment_members", name=name, person=by)["segment"]["contains"] is True
        api.ask("mutation ($name: String!) { deleteSegment(name: $name) }", {"name": name})
    assert api.graph.digest() == before


def test_texts_that_are_programs_elsewhere_are_texts(each_store: None, empty: Api) -> None:
    kept_as_they_are(empty, OURS)


def test_what_another_service_ran_is_not_run(each_store: None, empty: Api, tmp_path: Path) -> None:
    mark = tmp_path / "hurt"
    kept_as_they_are(empty, payloads(mark))
    assert not mark.exists()


def test_bodies_of_another_service_are_answered_with_a_code(empty: Api) -> None:
    """Its operations are not ours, and some of its bodies are wrong on purpose."""
    bodies = sorted(real_file("unomi").rglob("*.json"))
    assert len(bodies) > 60
    headers = {"content-type": "application/json"}
    for path in bodies:
        answer = empty.client.post("/graphql", content=path.read_bytes(), headers=headers)
        check(answer)
        assert "errors" in answer.json(), path
        for kind in ("track", "batch", "identify"):
            answer = empty.client.post(f"/v1/{kind}", content=path.read_bytes(), headers=headers)
            assert answer.status_code < 500, path
