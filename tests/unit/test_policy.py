from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import PolicyError
from identity_graph.policy import Blocked, Policy, Rule
from identity_graph.policy_file import default_text
from identity_graph.times import DAY, SECOND

DEFAULT = Policy.default()


def refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(text, where="my.toml")
    return caught.value


# ---- the default is safe for real data


def test_a_user_id_is_one_a_person_for_ever() -> None:
    rule = DEFAULT.rule("user_id")
    assert rule.unique and rule.limit == 1 and rule.half_life is None and rule.priority == 1


@pytest.mark.parametrize("namespace", ["email", "phone", "loyalty_id"])
def test_a_person_has_at_most_five_of_these(namespace: str) -> None:
    assert DEFAULT.rule(namespace).limit == 5


@pytest.mark.parametrize("namespace", ["device_id", "anonymous_id", "cookie"])
def test_devices_are_limited_by_who_shares_them(namespace: str) -> None:
    rule = DEFAULT.rule(namespace)
    assert rule.limit is None and rule.joins and rule.hub_cap <= 50


@pytest.mark.parametrize("namespace", ["ip", "user_agent"])
def test_what_many_share_never_joins(namespace: str) -> None:
    assert not DEFAULT.rule(namespace).joins


@pytest.mark.parametrize(
    ("namespace", "value"),
    [
        ("user_id", "null"),
        ("user_id", "NULL"),
        ("user_id", "Anonymous"),
        ("user_id", "undefined"),
        ("user_id", "-1"),
        ("user_id", "0"),
        ("user_id", "[object Object]"),
        ("anonymous_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id", "00000000000000000"),
        ("phone", "+15555555555"),
        ("email", "test@test.com"),
        ("email", "no-reply@shop.example"),
        ("email", "noreply@shop.example"),
        ("loyalty_id", "999999"),
        ("cookie", "xxxx"),
        ("a_new_namespace", "none"),
    ],
)
def test_junk_is_blocked(namespace: str, value: str) -> None:
    assert DEFAULT.blocks(namespace, value)


@pytest.mark.parametrize(
    ("namespace", "value"),
    [
        ("user_id", "u-1"),
        ("user_id", "1"),
        ("user_id", "42"),
        ("email", "ann@example.org"),
        ("email", "reply@example.org"),
        ("user_id", "no-reply@example.org"),
        ("phone", "+15551234567"),
        ("device_id", "0000-1111"),
        ("loyalty_id", "99999"),
        ("cookie", "x1"),
    ],
)
def test_what_only_looks_like_junk_is_not(namespace: str, value: str) -> None:
    assert not DEFAULT.blocks(namespace, value)


# ---- the file


def test_the_default_file_explains_each_setting() -> None:
    lines = [line for line in default_text().partition("[blocked]")[0].splitlines() if re.match(r"\[|\w+ =", line)]
    silent = {line for line in lines if line.startswith(("[default]", "[namespaces")) and "#" not in line}
    assert silent <= {"[namespaces.cookie]", "[namespaces.user_agent]"}, "these stand right below one that says it"


def test_an_empty_file_is_the_default() -> None:
    assert Policy.parse("").digest == DEFAULT.digest
    assert Policy.parse(default_text()).digest == DEFAULT.digest


def test_the_canonical_form_reads_as_itself() -> None:
    assert Policy.parse(DEFAULT.to_toml()) == DEFAULT
    assert tomllib.loads(DEFAULT.to_toml())["version"] == 1


def test_what_a_file_leaves_out_stays() -> None:
    policy = Policy.parse('session_gap = "PT1H"\n[namespaces.email]\nlimit = "2 ever"\n[sources.crm]\ntrust = 0.5\n')
    assert policy.session_gap == 3600 * SECOND
    assert policy.rule("email") == Rule(0.9, 2, 5, 10, None, True)
    assert policy.rule("user_id") == DEFAULT.rule("user_id")
    assert (policy.source_trust("crm"), policy.source_trust("web")) == (0.5, 1.0)


def test_a_new_namespace_starts_from_the_default_rule_of_the_file() -> None:
    policy = Policy.parse('[default]\ntrust = 0.3\n[namespaces.badge]\nlimit = "1 ever"\n')
    assert policy.rule("badge").trust == 0.3 and policy.rule("badge").unique
    assert policy.rule("anything_else").trust == 0.3


def test_blocked_values_are_added_in_any_case() -> None:
    policy = Policy.parse('[blocked]\nvalues = ["KIOSK"]\nuser_id = { patterns = ["^test-"] }\n')
    assert policy.blocks("cookie", "kiosk") and policy.blocks("cookie", "null")
    assert policy.blocks("user_id", "Test-7") and not policy.blocks("cookie", "test-7")


def test_a_half_life_makes_evidence_decay() -> None:
    assert not DEFAULT.decays
    policy = Policy.parse('[namespaces.cookie]\nhalf_life = "180 days"\n')
    assert policy.decays and policy.rule("cookie").half_life == 180 * DAY


def test_the_digest_names_the_rules_not_the_text() -> None:
    one = Policy.parse('min_weight = 0.5\norder = "newest"\n')
    other = Policy.parse('# the same\norder="newest"\n\nmin_weight=0.50\n')
    assert one.digest == other.digest != DEFAULT.digest


def test_without_limits_nothing_is_limited_blocked_or_a_hub() -> None:
    free = DEFAULT.without_limits()
    assert all(rule.limit is None and rule.joins for rule in [free.default_rule, *free.namespaces.values()])
    assert not free.blocks("user_id", "null") and free.min_weight == 0.0


# ---- errors say what, where and what to do


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("order = newest\n", "POLICY_SYNTAX", "line 1"),
        ("order = ", "POLICY_SYNTAX", "at end of document"),
        ("min_weight = 0.1\nmin_weight = 0.2\n", "POLICY_SYNTAX", "my.toml"),
        ("oder = 'newest'\n", "POLICY_KEY", "line 1: oder"),
        ("\n\n[namespaces.email]\ntrsut = 1\n", "POLICY_KEY", "line 4: namespaces.email.trsut"),
        ("[namespaces.Email]\ntrust = 1\n", "POLICY_KEY", "namespaces.Email"),
        ("[sources.crm]\nlimit = 1\n", "POLICY_KEY", "line 2: sources.crm.limit"),
        ("[blocked]\nemail = { value = [] }\n", "POLICY_KEY", "blocked.email.value"),
        ("version = 2\n", "POLICY_VALUE", "line 1: version"),
        ("order = 'oldest'\n", "POLICY_VALUE", "line 1: order"),
        ("min_weight = 1.5\n", "POLICY_VALUE", "line 1: min_weight"),
        ("min_weight = nan\n", "POLICY_VALUE", "line 1: min_weight"),
        ("min_weight = '0.1'\n", "POLICY_VALUE", "line 1: min_weight"),
        ("min_weight = true\n", "POLICY_VALUE", "line 1: min_weight"),
        ("max_identifiers = 1\n", "POLICY_VALUE", "line 1: max_identifiers"),
        ("max_identifiers = 2.5\n", "POLICY_VALUE", "line 1: max_identifiers"),
        ("session_gap = 30\n", "POLICY_VALUE", "line 1: session_gap"),
        ("session_gap = '0m'\n", "POLICY_VALUE", "line 1: session_gap"),
        ("default = 1\n", "POLICY_VALUE", "line 1: default"),
        ("namespaces = 1\n", "POLICY_VALUE", "line 1: namespaces"),
        ("[namespaces]\nemail = 1\n", "POLICY_VALUE", "line 2: namespaces.email"),
        ("[namespaces.email]\nlimit = 5\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\nlimit = '0 ever'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\njoins = 'yes'\n", "POLICY_VALUE", "line 2: namespaces.email.joins"),
        ("[namespaces.email]\npriority = 0\n", "POLICY_VALUE", "line 2: namespaces.email.priority"),
        ("[namespaces.email]\nhalf_life = 'soon'\n", "POLICY_VALUE", "line 2: namespaces.email.half_life"),
        ("[sources]\ncrm = 1\n", "POLICY_VALUE", "line 2: sources.crm"),
        ("blocked = []\n", "POLICY_VALUE", "line 1: blocked"),
        ("[blocked]\nvalues = 'null'\n", "POLICY_VALUE", "line 2: blocked.values"),
        ("[blocked]\nvalues = [1]\n", "POLICY_VALUE", "line 2: blocked.values"),
        ("[blocked]\npatterns = ['(']\n", "POLICY_VALUE", "line 2: blocked.patterns"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, code: str, where: str) -> None:
    error = refused(text)
    assert error.code == code
    assert where in error.message and error.message.startswith("my.toml")
    assert error.help


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(a*)*", r"(.)\1", r"(?=a)b", r"a++", r"(a|b)+", r"(?:a+){5}", r"a{2}{3}"]
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    assert refused(f"[blocked]\npatterns = ['{pattern}']\n").code == "POLICY_VALUE"


def test_a_mistake_names_the_line_of_its_own_table() -> None:
    """The same key is right in one table and wrong in another."""
    error = refused("[namespaces.email]\ntrust = 0.5\n\n[namespaces.phone]\ntrust = 7\n")
    assert "line 5: namespaces.phone.trust" in error.message


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.toml", tmp_path / "binary.toml", tmp_path):
        with pytest.raises(PolicyError) as caught:
            Policy.read(path)
        assert caught.value.code == "POLICY_MISSING"
        assert caught.value.message.startswith(str(path))


# ---- laws

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
RULES = st.builds(
    Rule,
    trust=st.floats(0, 1),
    limit=st.none() | st.integers(1, 999_999),
    hub_cap=st.integers(1, 2**31 - 1),
    priority=st.integers(1, 1000),
    half_life=st.none() | st.integers(1, 10**8).map(lambda seconds: seconds * SECOND),
    joins=st.booleans(),
)
POLICIES = st.builds(
    Policy,
    order=st.sampled_from(["strongest", "newest"]),
    min_weight=st.floats(0, 1),
    max_identifiers=st.integers(2, 2**31 - 1),
    session_gap=st.integers(1, 10**8).map(lambda seconds: seconds * SECOND),
    pairwise_up_to=st.integers(2, 100),
    default_rule=RULES,
    namespaces=st.dictionaries(NAMES, RULES, max_size=4),
    sources=st.dictionaries(TEXTS, st.floats(0, 1), max_size=3),
    blocked=st.builds(
        Blocked,
        values=st.frozensets(TEXTS.map(str.casefold), max_size=3),
        patterns=st.lists(st.sampled_from(["^a+$", "b{2,3}", r"\d+x"]), unique=True).map(tuple),
        by_namespace=st.dictionaries(
            NAMES.filter(lambda name: name not in {"values", "patterns"}),
            st.tuples(st.frozensets(TEXTS.map(str.casefold), max_size=2), st.just(("^z$",))),
            max_size=2,
        ),
    ),
)


@given(POLICIES)
def test_every_policy_survives_its_canonical_form(policy: Policy) -> None:
    from identity_graph.policy_file import parse_policy

    assert parse_policy(policy.to_toml(), where="it", start=Policy()) == policy


@given(st.text())
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    try:
        Policy.parse(text)
    except PolicyError as error:
        assert error.code in {"POLICY_SYNTAX", "POLICY_KEY", "POLICY_VALUE"}
