from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import PolicyError
from identity_graph.policy import FEW, MEASURES, ORDERS, Blocked, Policy, Rule, Similarity
from identity_graph.policy_file import _RULE, _SCALARS, _TABLES, default_text
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


def test_the_default_file_shows_every_key() -> None:
    """What is none by default as a comment, which is a policy once the signs before it are taken away."""
    text = default_text()
    bare = re.sub(r"^# ?(?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    whole = Policy.parse(bare)
    assert whole.sources == {"crm": 0.8} and whole.similarity and len(whole.purposes) == 2 and len(whole.retention) == 2
    shown = re.compile(r"^\s*(?:\[+([\w.]+)\]+|(\w+) =)", re.MULTILINE)
    found = {name for match in shown.findall(bare) for part in match for name in part.split(".")}
    assert {*_SCALARS, *_TABLES, *_RULE} <= found
    assert '"1 ever" is what other systems call unique' in text


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


def test_patterns_may_find_what_is_short_or_most_values_together() -> None:
    policy = Policy.parse("[blocked]\npatterns = ['^.{0,2}$', '^[a-z]', '^[^a-z]{3}']\n")
    assert [policy.blocks("card", value) for value in ("", "a", "0é", "ann", "123")] == [True] * 5
    assert not policy.blocks("card", "1a3")


def test_evidence_that_expires_decays_too() -> None:
    policy = Policy.parse('[default]\nexpires = "400 days"\n[namespaces.cookie]\nexpires = "none"\n')
    assert policy.decays and policy.rule("badge").expires == 400 * DAY and policy.rule("cookie").expires is None


def test_a_limit_may_have_a_window() -> None:
    policy = Policy.parse('[namespaces.email]\nlimit = "1 per 30 days"\n[namespaces.card]\nlimit = "2 per P7D"\n')
    email, card = policy.rule("email"), policy.rule("card")
    assert (email.limit, email.window, email.unique) == (1, 30 * DAY, False)
    assert (card.limit, card.window) == (2, 7 * DAY)
    again = Policy.parse('[namespaces.email]\nlimit = "1 ever"\n[namespaces.card]\nlimit = "none"\n')
    assert again.rule("email").unique and (again.rule("card").limit, again.rule("card").window) == (None, None)


SIMILAR = '[[similarity]]\nbetween = ["cookie"]\nby = ["ip", "user_agent"]\n'


def test_similarity_is_a_list_that_a_file_replaces() -> None:
    assert DEFAULT.similarity == ()
    more = 'measure = "cosine"\nmin = 0.5\ntop_k = 3\ntrust = 0.4\n'
    policy = Policy.parse(SIMILAR + more + SIMILAR)
    by = ("ip", "user_agent")
    assert policy.similarity == (Similarity(("cookie",), by, "cosine", 0.5, 3, 0.4), Similarity(("cookie",), by))
    assert policy.digest != DEFAULT.digest and Policy.parse(policy.to_toml()) == policy
    assert policy.without_limits().similarity == ()


def test_the_digest_names_the_rules_not_the_text() -> None:
    one = Policy.parse('min_weight = 0.5\norder = "newest"\n')
    other = Policy.parse('# the same\norder="newest"\n\nmin_weight=0.50\n')
    assert one.digest == other.digest != DEFAULT.digest


def test_without_limits_nothing_is_limited_blocked_or_a_hub() -> None:
    free = DEFAULT.without_limits()
    rules = [free.default_rule, *free.namespaces.values()]
    assert all(rule.limit is None and rule.joins and rule.expires is None for rule in rules)
    assert not free.blocks("user_id", "null") and free.min_weight == 0.0


# ---- errors say what, where and what to do


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("order = newest\n", "POLICY_SYNTAX", "line 1"),
        ("order = ", "POLICY_SYNTAX", "at end of document"),
        ("\n[namespaces.email]\ntrust = 1\ntrust = 1", "POLICY_SYNTAX", "my.toml, line 4"),
        ("max_identifiers = " + "9" * 5_000, "POLICY_SYNTAX", "my.toml"),
        ("order = " + "[" * 100_000, "POLICY_SYNTAX", "my.toml"),
        ("min_weight = 0.1\nmin_weight = 0.2\n", "POLICY_SYNTAX", "my.toml"),
        ("oder = 'newest'\n", "POLICY_KEY", "line 1: oder"),
        ("\n\n[namespaces.email]\ntrsut = 1\n", "POLICY_KEY", "line 4: namespaces.email.trsut"),
        ("[namespaces.Email]\ntrust = 1\n", "POLICY_KEY", "namespaces.Email"),
        ("[sources.crm]\nlimit = 1\n", "POLICY_KEY", "line 2: sources.crm.limit"),
        ("[blocked]\nemail = { value = [] }\n", "POLICY_KEY", "blocked.email.value"),
        ("order.by = 'newest'\n", "POLICY_VALUE", "line 1: order"),
        ("min_weight = 0.1\n[tables.email]\ntrust = 1\n", "POLICY_KEY", "line 2: tables"),
        ('[sources.crm]\ntrust = 1\n[sources."my shop"]\ntrust = 2\n', "POLICY_VALUE", "line 4: sources.my shop.trust"),
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
        ("[namespaces.email]\nlimit = '5 per year'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\nlimit = '5 per 0 days'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\nlimit = '0 per 5 days'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\nlimit = 'none per 5 days'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[namespaces.email]\nhub_cap = 0\n", "POLICY_VALUE", "line 2: namespaces.email.hub_cap"),
        ("[namespaces.email]\nexpires = '0 days'\n", "POLICY_VALUE", "line 2: namespaces.email.expires"),
        ("[default]\nexpires = '999999999 weeks'\n", "POLICY_VALUE", "line 2: default.expires"),
        ("session_gap = '999999999 weeks'\n", "POLICY_VALUE", "line 1: session_gap"),
        ("[namespaces.email]\njoins = 'yes'\n", "POLICY_VALUE", "line 2: namespaces.email.joins"),
        ("[namespaces.email]\npriority = 0\n", "POLICY_VALUE", "line 2: namespaces.email.priority"),
        ("[namespaces.email]\nhalf_life = 'soon'\n", "POLICY_VALUE", "line 2: namespaces.email.half_life"),
        ("[sources]\ncrm = 1\n", "POLICY_VALUE", "line 2: sources.crm"),
        ("blocked = []\n", "POLICY_VALUE", "line 1: blocked"),
        ("[blocked]\nvalues = 'null'\n", "POLICY_VALUE", "line 2: blocked.values"),
        ("[blocked]\nvalues = [1]\n", "POLICY_VALUE", "line 2: blocked.values"),
        ("[blocked]\npatterns = ['(']\n", "POLICY_VALUE", "line 2: blocked.patterns"),
        ("[blocked]\nphone = { patterns = ['a', '('] }\n", "POLICY_VALUE", "line 2: blocked.phone.patterns"),
        ("[blocked]\npatterns = ['a', '']\n", "POLICY_VALUE", "line 2: blocked.patterns: ''"),
        ("[blocked]\nphone = { patterns = ['.*'] }\n", "POLICY_VALUE", "line 2: blocked.phone.patterns"),
        ("[blocked]\npatterns = ['.']\n", "POLICY_VALUE", "line 2: blocked.patterns"),
        ("[blocked]\nEmail = { values = ['a@x.org'] }\n", "POLICY_KEY", "line 2: blocked.Email: not a namespace"),
        ('[sources."a] b"]\ntrust = 3\n', "POLICY_VALUE", "line 2: sources.a] b.trust"),
        ("[namespaces.email]\nlimit = '1000000 ever'\n", "POLICY_VALUE", "line 2: namespaces.email.limit"),
        ("[blocked]\npatterns = ['(?x)a # b', 'c']\n", "POLICY_VALUE", "line 2: blocked.patterns"),
        ("similarity = 1\n", "POLICY_VALUE", "line 1: similarity"),
        ("similarity = [1]\n", "POLICY_VALUE", "line 1: similarity"),
        ("[[similarity]]\nby = ['ip']\n", "POLICY_VALUE", "line 1: similarity.1.between"),
        (SIMILAR + "\n[[similarity]]\nbetween = ['cookies']\n", "POLICY_VALUE", "line 6: similarity.2.between"),
        (SIMILAR + SIMILAR.replace("ip", "ipx"), "POLICY_VALUE", "line 6: similarity.2.by"),
        (SIMILAR + SIMILAR.replace("ip", "cookie"), "POLICY_VALUE", "line 6: similarity.2.by"),
        (SIMILAR.replace("ip", "user_agent"), "POLICY_VALUE", "line 3: similarity.1.by"),
        (SIMILAR.replace("cookie", "ip"), "POLICY_VALUE", "line 2: similarity.1.between"),
        (SIMILAR + "min = 0\n", "POLICY_VALUE", "line 4: similarity.1.min"),
        (SIMILAR + "top_k = 0\n", "POLICY_VALUE", "line 4: similarity.1.top_k"),
        (SIMILAR + "trust = nan\n", "POLICY_VALUE", "line 4: similarity.1.trust"),
        (SIMILAR + "measure = 'dice'\n", "POLICY_VALUE", "line 4: similarity.1.measure"),
        (SIMILAR + "most = 1\n", "POLICY_KEY", "line 4: similarity.1.most"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, code: str, where: str) -> None:
    error = refused(text)
    assert error.code == code
    assert where in error.message and error.message.startswith("my.toml")
    assert error.help


@pytest.mark.parametrize("pattern", [r"(.)\1", "(?=a)b", "(?<!a)b", "(a{999}){999}"])
def test_a_pattern_that_is_not_linear_or_too_large_is_refused(pattern: str) -> None:
    assert refused(f"[blocked]\npatterns = ['{pattern}']\n").code == "POLICY_VALUE"


SOME = Policy.parse(
    "[blocked]\nvalues = ['ς', 'stra\u00dfe']\npatterns = ['^k\\w$', 'x\\d+y']\nemail = {patterns = ['^no']}\n"
)


@given(
    st.lists(
        st.sampled_from(["null", "NULL", "u-1", "test@example.com", "0000", "KΣ", "\u212aq"]) | st.text(), max_size=9
    ),
    st.sampled_from(["email", "user_id", "other"]),
    st.sampled_from([DEFAULT, SOME]),
)
def test_few_values_are_judged_as_many_are(values: list[str], namespace: str, policy: Policy) -> None:
    many = pl.Series([*values, *("x" * FEW)], dtype=pl.String)
    expected = policy.blocked_among(namespace, many)[: len(values)].to_list()
    assert policy.blocked_few(namespace, values) == expected
    assert policy.blocked_among(namespace, pl.Series(values, dtype=pl.String)).to_list() == expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*b", "(a|a)+$", "(.*a){12}$"])
def test_what_ruins_other_engines_takes_no_time(pattern: str) -> None:
    """A million letters: the first of these makes a backtracking engine take 2 ** 1,000,000 steps."""
    policy = Policy.parse(f"[blocked]\npatterns = ['{pattern}']\n")
    assert not policy.blocks("user_id", "a" * 1_000_000 + "c")


def test_patterns_that_are_too_large_together_are_refused() -> None:
    each = ", ".join(f"'^{number}\\w{{100}}$'" for number in range(30))
    error = refused(f"[blocked]\nuser_id = {{ patterns = [{each}] }}\n")
    assert error.code == "POLICY_VALUE" and "line 2: blocked.user_id: all the patterns together" in error.message


def test_a_mistake_names_the_line_of_its_own_table() -> None:
    """The same key is right in one table and wrong in another."""
    error = refused("[namespaces.email]\ntrust = 0.5\n\n[namespaces.phone]\ntrust = 7\n")
    assert "line 5: namespaces.phone.trust" in error.message


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    missing, syntax = "POLICY_MISSING", "POLICY_SYNTAX"
    for path, code in ((tmp_path / "none.toml", missing), (tmp_path / "binary.toml", syntax), (tmp_path, missing)):
        with pytest.raises(PolicyError) as caught:
            Policy.read(path)
        assert caught.value.code == code
        assert caught.value.message.startswith(str(path))


# ---- laws

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
DURATIONS = st.integers(1, 10**8).map(lambda seconds: seconds * SECOND)
RULES = st.builds(
    Rule,
    trust=st.floats(0, 1),
    limit=st.none() | st.integers(1, 999_999),
    hub_cap=st.integers(1, 2**31 - 1),
    priority=st.integers(1, 1000),
    half_life=st.none() | DURATIONS,
    joins=st.booleans(),
    expires=st.none() | DURATIONS,
)
LIMITED = st.builds(replace, RULES, limit=st.integers(1, 999_999), window=st.none() | DURATIONS)
NAMESPACES = st.dictionaries(NAMES, RULES | LIMITED, max_size=4)
POLICIES = st.builds(
    Policy,
    order=st.sampled_from(ORDERS),
    min_weight=st.floats(0, 1),
    max_identifiers=st.integers(2, 2**31 - 1),
    session_gap=DURATIONS,
    pairwise_up_to=st.integers(2, 100),
    default_rule=RULES,
    namespaces=st.just({}) | NAMESPACES,
    sources=st.dictionaries(TEXTS, st.floats(0, 1), max_size=3),
    blocked=st.builds(
        Blocked,
        values=st.frozensets(TEXTS.map(str.lower), max_size=3),
        patterns=st.lists(st.sampled_from(["^a+$", "b{2,3}", r"\d+x"]), unique=True).map(tuple),
        by_namespace=st.dictionaries(
            NAMES.filter(lambda name: name not in {"values", "patterns"}),
            st.tuples(st.frozensets(TEXTS.map(str.lower), max_size=2), st.just(("^z$",))),
            max_size=2,
        ),
    ),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    policy = draw(POLICIES)
    namespaces = {**policy.namespaces, "left": Rule(joins=True), "right": Rule()}
    similar = st.builds(
        Similarity,
        between=st.just(("left",)),
        by=st.just(("right",)),
        measure=st.sampled_from(MEASURES),
        min=st.floats(1e-6, 1),
        top_k=st.integers(1, 1000),
        trust=st.floats(0, 1),
    )
    return replace(policy, namespaces=namespaces, similarity=tuple(draw(st.lists(similar, max_size=2))))


@given(policies())
def test_every_policy_survives_its_canonical_form(policy: Policy) -> None:
    from identity_graph.policy_file import parse_policy

    assert parse_policy(policy.to_toml(), where="it", start=Policy()) == policy


@given(st.text())
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    try:
        Policy.parse(text)
    except PolicyError as error:
        assert error.code in {"POLICY_SYNTAX", "POLICY_KEY", "POLICY_VALUE"}


def test_patterns_are_tried_in_any_case() -> None:
    policy = Policy.parse("[blocked]\npatterns = ['^TEST-']\n")
    assert [policy.blocks("user_id", value) for value in ("TEST-1", "test-1", "a-TEST-1")] == [True, True, False]
