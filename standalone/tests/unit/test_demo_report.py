"""The demo says of itself what is true: a tick is for what was found."""

import io
from typing import Any

from rich.console import Console

from standalone import demo_report


def said(*answers: tuple[str, str, list[dict[str, str]]]) -> tuple[bool, str]:
    out = io.StringIO()
    told: list[tuple[str, str, dict[str, Any]]] = [
        (text, title, {"hits": hits, "processingTimeMs": 3}) for text, title, hits in answers
    ]
    return demo_report.search(Console(file=out), told), out.getvalue()


def test_a_search_that_finds_its_title_gets_a_tick() -> None:
    all_found, text = said(("Nordlis", "Nordlys", [{"artist": "Björk Åsen", "title": "Nordlys"}]))
    assert all_found
    assert "✓ Search “Nordlis” finds Björk Åsen – Nordlys" in text


def test_a_search_that_finds_nothing_or_another_fails_the_demo_and_says_so() -> None:
    other = {"artist": "Kestrel 9", "title": "Signal Loss"}
    all_found, text = said(("Nordlis", "Nordlys", []), ("Nordlis", "Nordlys", [other]))
    assert not all_found
    assert "✓" not in text
    assert "finds nothing, and not Nordlys" in text
    assert "finds Kestrel 9 – Signal Loss, and not Nordlys" in text
