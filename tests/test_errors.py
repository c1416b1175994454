"""The error tree: drawn as it is, one exit status a family, codes that exist and are used."""

from __future__ import annotations

import ast
import pickle
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph import errors

PACKAGE = Path(errors.__file__).parent
FAMILIES = errors.IdentityGraphError.__subclasses__()


def raised_codes() -> Iterator[tuple[str, str]]:
    """Place and text of each constant that looks like a code in a source other than errors.py itself."""
    for path in PACKAGE.rglob("*.py"):
        if path.name != "errors.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def test_the_drawing_is_the_tree() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +(\d+) ", errors.__doc__ or ""))
    assert drawn == {family.__name__: str(family.exit_status) for family in FAMILIES}


def test_exit_statuses_are_one_per_family() -> None:
    statuses = [family.exit_status for family in FAMILIES]
    assert sorted(statuses) == list(range(2, 2 + len(FAMILIES)))
    assert errors.IdentityGraphError.exit_status == 1


@pytest.mark.parametrize("code", errors.CODES)
def test_a_code_is_upper_case_and_says_what_is_wrong_in_a_sentence(code: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", code)
    assert re.fullmatch(r"[A-Z-].{10,}\.", errors.CODES[code]), errors.CODES[code]


def test_a_code_that_is_not_listed_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        errors.InputError("NO_SUCH_CODE", "what and where")


@pytest.mark.parametrize("family", FAMILIES)
def test_an_error_survives_another_process(family: type[errors.IdentityGraphError]) -> None:
    error = pickle.loads(pickle.dumps(family("INTERNAL", "what and where", help="what to do")))
    assert type(error) is family
    assert (error.code, error.message, error.help) == ("INTERNAL", "what and where", "what to do")


@pytest.mark.parametrize("family", FAMILIES)
def test_who_calls_from_python_sees_code_and_help_once(family: type[errors.IdentityGraphError]) -> None:
    error = pickle.loads(pickle.dumps(family("INTERNAL", "what and where", help="Do this.")))
    shown = traceback.format_exception_only(error)
    assert shown == [f"identity_graph.errors.{family.__name__}: what and where\n", "INTERNAL: Do this.\n"]
    assert str(error) == "what and where"


@pytest.mark.parametrize("code", errors.CODES)
def test_help_says_what_to_do_and_not_once_more_what_is_wrong(code: str) -> None:
    help = errors.InputError(code, "what and where").help
    assert re.fullmatch(r"[A-Z-].{10,}[.?]", help) and help != errors.CODES[code]
    assert errors.InputError(code, "what and where", help="Do this.").help == "Do this."


def test_every_help_is_of_a_code() -> None:
    assert list(errors.HELP) == list(errors.CODES)


def test_every_code_that_the_sources_raise_is_listed() -> None:
    """Calls of an error class with a constant code; anything else is checked when it is raised."""
    names = {"IdentityGraphError", "Refused", *(family.__name__ for family in FAMILIES)}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and re.fullmatch(r"[A-Z_]+", str(argument.value)):
                        assert argument.value in errors.CODES, f"{path}:{node.lineno}"


def test_every_listed_code_is_used() -> None:
    used = {text for _, text in raised_codes()}
    assert [code for code in errors.CODES if code not in used] == []
