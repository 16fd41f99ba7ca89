"""Which words no column shows on one line."""

import pytest

from exceptions_queue.templatetags.cells import is_unbroken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("awaiting_approval commerce_platform", False),
        ("a" * 24, False),
        ("a" * 25, True),
        (f"charge {'b2' * 20} of the gateway", True),
        ("https://shop.example/wp-admin/post.php?post=7", True),
    ],
)
def test_a_word_that_is_longer_than_a_column(text: str, expected: bool) -> None:
    assert is_unbroken(text) is expected
