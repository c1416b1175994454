"""Conditions of segments at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Trees = st.SearchStrategy[dict[str, Any]]


def trees_of(leaves: Trees, most: int) -> Trees:
    """With at most so many leaves."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(lambda one: {"not": one}, inner)
            | st.builds(
                lambda kind, parts: {kind: parts},
                st.sampled_from(["all", "any"]),
                st.lists(inner, min_size=1, max_size=3),
            )
        ),
        max_leaves=most,
    )
