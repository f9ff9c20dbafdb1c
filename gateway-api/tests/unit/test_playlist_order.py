"""A new order of a playlist keeps what its caller could not see."""

import pytest

from gateway_api.features.playlists.usecases import keep_trashed


@pytest.mark.parametrize(
    ("wanted", "before", "order"),
    [
        ("abc", "aBc", "aBbc"),
        ("ca", "aXc", "caX"),
        ("ac", "aXbYc", "aXYc"),
        ("c", "XaYc", "XYc"),
        ("", "aXb", "X"),
        ("new", "X", "Xnew"),
    ],
)
def test_what_is_in_the_trash_stays_behind_its_neighbour(wanted: str, before: str, order: str) -> None:
    """Capitals are in the trash."""
    entries = [(letter, letter.isupper()) for letter in before]
    assert keep_trashed(list(wanted), entries) == list(order)
