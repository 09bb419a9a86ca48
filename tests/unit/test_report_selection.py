"""Sets are named as people type them."""

from __future__ import annotations

import pytest

from core.report.selection import names_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adversarial,noise", ["adversarial", "noise"]),
        ("noise, adversarial", ["noise", "adversarial"]),
        (" noise ,\tadversarial ", ["noise", "adversarial"]),
        ("noise,adversarial, noise,noise", ["noise", "adversarial"]),
        ("noise,", ["noise", ""]),
        ("", None),
        (" ", None),
    ],
)
def test_spaces_and_names_given_twice_do_not_matter(text: str, expected: list[str] | None) -> None:
    assert names_in(text) == expected
