"""Two processes erase by one token at the same time: one has the receipt, and the other is told that it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.erasing import ErasureState
from tests.story.places import MEMORY
from tests.story.worlds import event, key, person, told, town

ROOT = Path(__file__).parents[2]
ERASER = """
import sys
from identity_graph import IdentityGraph
from identity_graph.errors import IdentityGraphError
with IdentityGraph.open(sys.argv[1]) as graph:
    print("open", flush=True)
    for token in sys.stdin:
        try:
            print(graph.forget.erase(token.strip()).id, flush=True)
        except IdentityGraphError as error:
            print(error.code, flush=True)
"""
PEOPLE = 3


@contextmanager
def erasers(url: str) -> Iterator[list[subprocess.Popen[str]]]:
    pipe, environment = subprocess.PIPE, os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ERASER, url]
    both = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) for _ in range(2)]
    try:
        assert [said(one) for one in both] == ["open", "open"]
        yield both
    finally:
        for one in both:
            one.communicate(timeout=120)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.usefixtures("each_store")
def test_two_processes_with_one_token(shared_url: str) -> None:
    with told(town(), url=MEMORY) as without:
        digest = without.digest()
    hers = [event(f"v{n}-{i}", i, f"email:v{n}@example.org", f"cookie:v{n}") for n in range(PEOPLE) for i in range(3)]
    with told([*town(), *hers], url=shared_url) as graph:
        tokens = []
        for n in range(PEOPLE):
            preview = graph.forget.preview(person(graph, f"email:v{n}@example.org"))
            assert preview and preview.events == 3
            tokens.append(preview.token)
    with erasers(shared_url) as both:
        receipts = []
        for token in tokens:
            for one in both:
                assert one.stdin is not None
                print(token, file=one.stdin, flush=True)
            answers = sorted(map(said, both), key=len)
            assert answers[0] == "TOKEN_INVALID" != answers[1], answers
            receipts.append(answers[1])
    with IdentityGraph.open(shared_url) as graph:
        victims = [key(f"email:v{n}@example.org") for n in range(PEOPLE)]
        assert graph.store.privacy.tombstoned(victims) == [True] * PEOPLE
        assert graph.digest() == digest and graph.restrictions.all() == []
        graph.forget.resume()  # what the other one was reading when it was to be scrubbed
        done = [one for one in graph.store.erasures.requests() if one.state is not ErasureState.REFUSED]
        assert sorted(one.id for one in done) == sorted(receipts)
        assert {one.state for one in done} == {ErasureState.SCRUBBED}
        assert {one.document["events"] for one in done} == {3}
