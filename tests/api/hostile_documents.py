"""Documents that are meant to hurt, by family: each makes one of a size, and the same size makes the same one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

Make = Callable[[int], str]


class Hostile(NamedTuple):
    family: str
    size: int
    text: str


def many(n: int, write: Callable[[int], str]) -> str:
    return " ".join(write(number) for number in range(n))


def chained(n: int, body: str, end: str, on: str = "Query") -> str:
    """Fragments of which each spreads the next, as often as the body says."""
    rest = many(n, lambda i: f"fragment f{i} on {on} {{ {body.replace('NEXT', f'...f{i + 1}')} }}")
    return f"{{ ...f0 }} {rest} fragment f{n} on {on} {{ {end} }}"


def circle(n: int) -> str:
    return "{ ...f0 } " + many(n, lambda i: f"fragment f{i} on Query {{ ...f{(i + 1) % n} }}")


def nested(n: int, opening: str, closing: str, inside: str) -> str:
    return opening * n + inside + closing * n


WORDS = [*"{}()[]!:=@1", "...", "$a", "first", "1e999", "null", "query", "fragment", "on", "Person", "persons", "nodes"]


def soup(n: int) -> str:
    """Words of the language in any order: most do not parse, and none means anything."""
    dice = random.Random(n)
    return "{ " + " ".join(dice.choice(WORDS) for _ in range(n))


JOURNEYS = "persons(first: 100) { nodes { journey(first: 100) { nodes "

FAMILIES: dict[str, Make] = {
    # depth
    "levels": lambda n: nested(n, "{ a ", "}", ""),
    "levels never closed": lambda n: "{ a " * n,
    "levels of inline fragments": lambda n: nested(n, "{ ... on Query ", "}", "{ nope }"),
    "levels through fragments": lambda n: chained(n, "a { NEXT }", "a"),
    "persons of events of persons": lambda n: "{ node(id: 1) { ... on Event "
    + nested(n, "{ person { journey { nodes ", "} } }", "{ id nope }")
    + "} }",
    # aliases
    "aliases at the root": lambda n: "{" + many(n, lambda i: f"a{i}: stats {{ events }}") + " nope }",
    "aliases below": lambda n: "{ stats {" + many(n, lambda i: f"a{i}: events") + " nope } }",
    "one name again and again": lambda n: "{ stats {" + " events" * n + " nope } }",
    "one name again on two levels": lambda n: "{" + many(n, lambda _: f"stats {{ {' events' * n} }}") + " nope }",
    "one alias of two fields": lambda n: "{ stats {"
    + many(n, lambda i: f"a: {'events' if i % 2 else 'persons'}")
    + "} }",
    "mutations": lambda n: "mutation {" + many(n, lambda i: f"a{i}: resolve {{ nope }}") + "}",
    # directives
    "directives on one field": lambda n: "{ stats { events " + "@skip(if: true) " * n + "} nope }",
    "directives on many fields": lambda n: "{" + many(n, lambda i: f"a{i}: stats @nope {{ events }}") + "}",
    "directives on an operation": lambda n: "query " + "@nope " * n + "{ stats { events } }",
    # fragments
    "two spreads in each fragment": lambda n: chained(n, "NEXT NEXT", "nope"),
    "two fields and spreads in each": lambda n: chained(n, "a { NEXT } b { NEXT }", "nope"),
    "three inline spreads in each": lambda n: chained(n, "...{ NEXT } ...{ NEXT } ...{ NEXT }", "nope"),
    "a chain": lambda n: chained(n, "NEXT", "nope"),
    "a circle": circle,
    "circles of one": lambda n: "{ stats { events } } " + many(n, lambda i: f"fragment f{i} on Query {{ ...f{i} }}"),
    "spreads of the unknown": lambda n: "{" + many(n, lambda i: f"...f{i}") + "}",
    "fragments that nobody spreads": lambda n: "{ stats { events } } "
    + many(n, lambda i: f"fragment f{i} on Query {{ stats {{ events }} }}"),
    "many fragments in one place": lambda n: "{ stats {"
    + many(n, lambda i: f"...f{i}")
    + " nope } } "
    + many(n, lambda i: f"fragment f{i} on Stats {{ events persons }}"),
    "one fragment in many places": lambda n: "{"
    + many(n, lambda i: f"a{i}: stats {{ ...f }}")
    + "} fragment f on Stats { events nope }",
    "fragments on types of no use": lambda n: "{"
    + many(n, lambda i: f"...f{i}")
    + "} "
    + many(n, lambda i: f"fragment f{i} on Nope{i} {{ a }}"),
    # tokens and text
    "tokens": lambda n: "{ stats { events } } " + "query " * n,
    "brackets": lambda n: "{ explain(a: " + "[" * n + ") }",
    "objects in objects": lambda n: "{ explain(a: " + nested(n, "{a: ", "}", "1") + ") { nope } }",
    "commas": lambda n: "{ nope" + "," * (10 * n) + "}",
    "comments": lambda n: "{ nope }" + "# \n" * (3 * n),
    "soup": soup,
    "operations": lambda n: many(n, lambda i: f"query q{i} {{ stats {{ nope }} }}"),
    "operations of one name": lambda n: many(n, lambda _: "query q { stats { events } }"),
    "definitions of types": lambda n: many(n, lambda i: f"type T{i} {{ a: Int }}"),
    # literals
    "a long text": lambda n: '{ node(id: "' + "x" * (10 * n) + '") { nope } }',
    "a long text in a block": lambda n: '{ node(id: """' + "\n x" * (3 * n) + '""") { nope } }',
    "escapes": lambda n: '{ node(id: "' + r"\u0041" * n + '") { nope } }',
    "a long number": lambda n: "{ persons(first: " + "9" * (5 * n) + ") { totalCount } }",
    "a long fraction": lambda n: "{ persons(first: 0." + "9" * (5 * n) + "e" + "9" * (5 * n) + ") { totalCount } }",
    "a long list": lambda n: "{ people(by: [" + "1 " * n + "]) { id } }",
    "a list of objects": lambda n: "{ people(by: [" + "{id: 1} " * n + "]) { nope } }",
    "an object of unknown fields": lambda n: "{ person(by: {" + many(n, lambda i: f"x{i}: 1") + "}) { id } }",
    "an object with one field again": lambda n: "{ person(by: {" + "id: 1 " * n + "}) { id } }",
    # nodes by the size of pages
    "pages in pages": lambda n: "{ "
    + JOURNEYS
    + "{ person { "
    + many(n, lambda i: f"a{i}: id")
    + " journey(first: 100) { nodes { id } } } } } } } }",
    "pages beside pages": lambda n: "{"
    + many(n, lambda i: f"a{i}: {JOURNEYS}{{ {many(min(n, 9), lambda j: f'b{j}: id')} nope }} }} }} }}")
    + "}",
    "pages of unknown sizes": lambda n: "query(" + many(n, lambda i: f"$v{i}: Int") + ") {"
    + many(n, lambda i: f"a{i}: persons(first: $v{i}) {{ nodes {{ journey(first: $v{i}) {{ nodes {{ nope }} }} }} }}")
    + "}",
    # unknown names
    "unknown fields": lambda n: "{ stats {" + many(n, lambda i: f"event{i}") + "} }",
    "unknown arguments": lambda n: "{ stats(" + many(n, lambda i: f"a{i}: 1") + ") { events } }",
    "unknown arguments of many fields": lambda n: "{"
    + many(n, lambda i: f"a{i}: stats(a: 1, b: 2) {{ events }}")
    + "}",
    "unknown variables": lambda n: "{" + many(n, lambda i: f"a{i}: node(id: $v{i}) {{ id }}") + "}",
    "variables of no use": lambda n: "query(" + many(n, lambda i: f"$v{i}: Int") + ") { stats { events } }",
    "variables of unknown types": lambda n: "query("
    + many(n, lambda i: f"$v{i}: [T{i}!]!")
    + ") { stats { events } nope }",
    "variables of deep types": lambda n: "query($v: " + nested(n, "[", "]", "Int") + ") { stats { events } nope }",
    "a text of half a character": lambda n: "{ nope" + "\x00\ufffe" * n + "}",
}  # fmt: skip

SIZES = (4, 40, 160, 640, 2_000, 6_000)


def corpus() -> Iterator[Hostile]:
    for family, make in FAMILIES.items():
        for size in SIZES:
            yield Hostile(family, size, make(size if "two levels" not in family else round(size**0.5)))
