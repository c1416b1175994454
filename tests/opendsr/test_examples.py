"""The examples of the specification, sent to our own service, and its answers beside theirs.

The request of the specification is no JSON: a comma is one too many. Nor is it one of version 2.0: `regulation` is
left out, which section 7.1.1 requires. Both are mended here, and the callback leads to this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from identity_graph import IdentityGraph
from tests.opendsr.conftest import processing
from tests.opendsr.controller import DOMAIN, SIGNATURE, Controller, Receiver, waited
from tests.story.worlds import event, household
from tests.unit.real_files import real_file

JOHN = "johndoe@example.com"
PROCESSOR = "example-processor.com"


class Examples:
    """By the first line of what is sent or answered, in the order in which they stand."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        self._found = found

    def of(self, start: str, member: str) -> Any:
        """The only body that has this member at the top."""
        (body,) = (one["json"] for one in self._found if one["http"].startswith(start) and member in one["json"])
        return body

    def headers(self, start: str) -> set[str]:
        lines = next(one["http"] for one in self._found if one["http"].startswith(start)).splitlines()[1:]
        return {line.partition(":")[0].lower() for line in lines if re.match(r"[A-Za-z-]+:", line)}

    @property
    def request(self) -> dict[str, Any]:
        (sent,) = (one for one in self._found if one["http"].startswith("POST /requests"))
        assert not sent["valid_json"]
        with pytest.raises(ValueError):
            json.loads(sent["raw"])
        found: dict[str, Any] = json.loads(re.sub(r",(\s*})", r"\1", sent["raw"]))
        return found


@pytest.fixture(scope="module")
def examples() -> Examples:
    found = json.loads(real_file("privacy/opendsr_examples.json").read_text())
    for one in found:
        one.setdefault("json", {})
    return Examples(found)


def like(example: Any, ours: Any, *optional: str) -> None:
    """Each member of the example is in ours, of the same kind; of a list the first stands for all."""
    assert type(ours) is type(example), (example, ours)
    if isinstance(example, Mapping):
        assert set(example) - set(ours) <= set(optional), (example, ours)
        for name in example.keys() & ours.keys():
            like(example[name], ours[name])
    elif isinstance(example, list):
        assert ours
        for one in ours:
            like(example[0], one)
    elif isinstance(example, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", example):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", ours), ours


@pytest.fixture(scope="module", params=["0s", "1 hour"])
def pending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def controller(examples: Examples, pending: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """Of a service that knows John."""
    folder = tmp_path_factory.mktemp("examples")
    store = f"sqlite:///{folder / 'people.db'}"
    with IdentityGraph.open(store) as graph:
        graph.ingest.events([*household(), event("j1", 0, f"email:{JOHN}", "user_id:john")])
        graph.resolver.resolve()
    with processing(store, folder, pending=pending) as (_, found):
        yield found


def mended(examples: Examples, receiver: Receiver, **more: Any) -> dict[str, Any]:
    (callback,) = examples.request["status_callback_urls"]
    path = callback.removeprefix("https://examplecontroller.com")
    return examples.request | {"regulation": "gdpr", "status_callback_urls": [receiver.url + path]} | more


def test_the_discovery(controller: Controller, examples: Examples) -> None:
    like(examples.of("HTTP/1.1 200", "processor_certificate"), controller.ask("GET", "/discovery").json)


def test_as_it_stands_it_is_refused_as_the_example_is(controller: Controller, examples: Examples) -> None:
    as_it_stands = json.dumps(examples.request)
    broken = as_it_stands.replace("}", ",}", 1).encode()
    nameless = {name: value for name, value in examples.request.items() if name != "subject_request_id"}
    for body in (broken, as_it_stands.encode(), nameless | {"regulation": "gdpr"}):
        answer = controller.ask("POST", "/requests", body)
        controller.refused(answer, JOHN)
        like(examples.of("HTTP/1.1 400", "error"), answer.json)
        assert examples.headers("HTTP/1.1 400") <= {name.lower() for name in answer.headers}


def test_the_request_and_what_comes_of_it(
    controller: Controller, examples: Examples, receiver: Receiver, pending: str
) -> None:
    """Of the two kinds that it has: the example erases, and says how many results there are, which an access has."""
    erasure = mended(examples, receiver)
    id = erasure["subject_request_id"]
    domain = controller.ask("GET", "/discovery").headers[DOMAIN]
    if pending == "0s":  # asked for first, while there is somebody
        own = {domain: erasure["extensions"][PROCESSOR]}
        access = mended(examples, receiver, subject_request_type="access", extensions=own)
        access["subject_request_id"] = "0" + id[1:]
        controller.check(controller.ask("POST", "/requests", access), 201)
        controller.until(access["subject_request_id"], "completed")
        found = controller.check(controller.ask("GET", f"/requests/{access['subject_request_id']}"), 200)
        like(examples.of("HTTP/1.1 200", "request_status"), found)
        waited(lambda: "completed" in receiver.told(access["subject_request_id"]))
        like(examples.of("POST /opendsr/callbacks", "request_status"), receiver.of(access["subject_request_id"])[-1])

    answer = controller.ask("POST", "/requests", erasure)
    like(examples.of("HTTP/1.1 201", "encoded_request"), controller.check(answer, 201))
    assert answer.json["subject_request_id"] == id
    assert examples.headers("HTTP/1.1 201") <= {name.lower() for name in answer.headers}
    last = "completed"
    if pending == "1 hour":
        answer = controller.ask("DELETE", f"/requests/{id}")
        like(examples.of("HTTP/1.1 202", "received_time"), controller.check(answer, 202))
        assert examples.headers("HTTP/1.1 202") <= {name.lower() for name in answer.headers}
        last = "cancelled"
    controller.until(id, last)
    results = ("results_url", "results_count")
    like(examples.of("HTTP/1.1 200", "request_status"), controller.status(id), *results)
    waited(lambda: last in receiver.told(id))
    for path, body, headers in receiver.got:
        assert path == "/opendsr/callbacks"
        assert controller.signed(body, headers[SIGNATURE]) and headers[DOMAIN] == domain
        like(examples.of("POST /opendsr/callbacks", "request_status"), json.loads(body), *results)
        assert examples.headers("POST /opendsr/callbacks") <= {name.lower() for name in headers}


def test_extensions(controller: Controller, examples: Examples, receiver: Receiver) -> None:
    """Of another processor they are left alone; for ours the type of the example is none, and nobody is named."""
    extension = examples.of('"extensions":', "opendsr.mparticle.com")
    sent = mended(examples, receiver, extensions=extension, subject_request_type="access")
    sent["subject_request_id"] = "1" + sent["subject_request_id"][1:]
    controller.check(controller.ask("POST", "/requests", sent), 201)
    domain = controller.ask("GET", "/discovery").headers[DOMAIN]
    ours = sent | {"extensions": {domain: extension["opendsr.mparticle.com"]}}
    ours["subject_request_id"] = "2" + sent["subject_request_id"][1:]
    assert controller.refused(controller.ask("POST", "/requests", ours), "test@test1.com") == "IDENTITY_UNSUPPORTED"
