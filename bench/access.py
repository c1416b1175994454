"""What it takes to know who asks, and whether they may, beside the question itself: `python -m bench.access`.

The question is for a person as in `bench.profile`, over HTTP, one after the other through one connection. The check
finds the caller of an API key among a hundred, and sees that its role may ask for every field. A person comes with a
token instead, signed by RSA of 2,048 bits, whose signature is checked each time. Best of five.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import orjson
from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.profile import ONE, ask, events, served
from identity_graph.access.door import Door
from identity_graph.access.keys import KeysFile
from identity_graph.access.rules import Role
from identity_graph.access.tokens import Issuer, Tokens
from identity_graph.api.documents import Documents
from identity_graph.api.schema import graphql_schema
from identity_graph.service import IdentityGraph

KEYS, QUESTIONS, CHECKS, TOKENS, ROUNDS = 100, 400, 20_000, 2_000, 5
SHARE = 0.02


def asked(port: int, bodies: list[bytes]) -> float:
    """Seconds a question."""
    start = time.perf_counter()
    answers = asyncio.run(ask(port, bodies))
    taken = time.perf_counter() - start
    assert all(b'"journey"' in answer for answer in answers)
    return taken / len(bodies)


def checked(door: Door, places: frozenset[str], authorization: str, times: int) -> float:
    """Seconds a check."""
    start = time.perf_counter()
    for _ in range(times):
        caller = door.caller(authorization)
        door.spend(caller)
        door.check_fields(places, caller)
    return (time.perf_counter() - start) / times


def with_token(folder: Path) -> tuple[Door, str]:
    """A door that takes tokens, and the header of somebody who has one."""
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    (folder / "jwks.json").write_bytes(orjson.dumps({"keys": [key.as_dict(private=False)]}))
    claims = {"iss": "bench", "aud": "bench", "sub": "somebody", "role": "app_reader", "exp": int(time.time()) + 86_400}
    text = jwt.encode({"alg": "RS256", "kid": "one", "typ": "JWT"}, claims, key)
    return Door(None, Tokens(Issuer(str(folder / "jwks.json"), "bench", "bench"))), f"Bearer {text}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name, IdentityGraph.open(f"sqlite:///{Path(name) / 'people.db'}") as graph:
        graph.ingest.events(list(events()))
        graph.resolver.resolve()
        ids = [person.id for person in graph.people.page(limit=QUESTIONS)]
        bodies = [orjson.dumps({"query": ONE, "variables": {"by": {"id": id}}}) for id in ids]
        keys = KeysFile(Path(name) / "keys.json")
        texts = [keys.create(Role.APP_READER, f"app {number}")[1] for number in range(KEYS)]
        door, authorization = Door(keys), f"Bearer {texts[-1]}"
        places = frozenset(Documents(graphql_schema()).prepare_here(ONE).places)
        (Path(name) / "answers.json").write_text('{"nobody": null}')
        by_token, bearer = with_token(Path(name))
        question, check, signature = [], [], []
        with served("ours", Path(name) / "people.db", Path(name) / "answers.json") as port:
            for _ in range(ROUNDS + 1):  # the first finds what is remembered from then on
                question.append(asked(port, bodies))
                check.append(checked(door, places, authorization, CHECKS))
                signature.append(checked(by_token, places, bearer, TOKENS))
    share, of_token = min(check) / min(question), min(signature) / min(question)
    print(f"\nA question for a profile: {min(question) * 1e6:,.0f} us, of which the check {min(check) * 1e6:.1f} us")
    print(f"share of the check: {share:.1%} (bar {SHARE:.0%})")
    print(f"of the check of a token instead: {min(signature) * 1e6:.1f} us, {of_token:.1%}")
    assert share <= SHARE


if __name__ == "__main__":
    main()
