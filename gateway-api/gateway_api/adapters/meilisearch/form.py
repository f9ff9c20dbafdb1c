"""The form of the index as code: its settings, its documents' ids, and the fingerprint of both.

A change here changes the fingerprint, and a gateway that finds an index of another fingerprint builds
a new one beside it and swaps.
"""

import base64
import hashlib
import json
from typing import Any

from gateway_api.search_port import MOST_FACET_VALUES, ONE_TYPO_FROM, TWO_TYPOS_FROM, Facet, Sort
from gateway_api.terms import Attribute

# To be raised when documents change their form while the settings stay as they are.
DOCUMENT_FORM = 1

FACETS = {
    Facet.GENRE: "genres",
    Facet.STYLE: "styles",
    Facet.KEY: "key",
    Facet.YEAR: "year",
    Facet.RATING: "star_rating",
    Facet.SHELF: "library_identifier",
    Facet.OWNER: "username",
}
SORTS = {
    Sort.ADDED: "added_at",
    Sort.TITLE: "title_words",
    Sort.ARTIST: "artist_words",
    Sort.BPM: "bpm",
    Sort.YEAR: "year",
    Sort.RATING: "star_rating",
    Sort.ENERGY: "energy",
}
SETTINGS: dict[str, Any] = {
    "searchableAttributes": ["title", "artist", "album", "genres", "styles"],
    "displayedAttributes": ["*"],
    # "id" for deleting, the rest for filters and facets.
    "filterableAttributes": sorted({"id", *Attribute, *FACETS.values()}),
    "sortableAttributes": sorted({*SORTS.values(), "id"}),
    # An order that was asked for comes before relevance; the last two make every order a total one,
    # without which pages would overlap.
    "rankingRules": [
        *("sort", "words", "typo", "proximity", "attribute", "exactness"),
        *("title_words:asc", "id:asc"),
    ],
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": ONE_TYPO_FROM, "twoTypos": TWO_TYPOS_FROM},
    },
    "faceting": {"maxValuesPerFacet": MOST_FACET_VALUES, "sortFacetValuesBy": {"*": "count"}},
    # The default of 1,000 would cut off the pages of a large collection.
    "pagination": {"maxTotalHits": 1_000_000},
}
FINGERPRINT = hashlib.sha256(json.dumps([SETTINGS, DOCUMENT_FORM]).encode()).hexdigest()[:16]


def encode(text: str) -> str:
    """Text as the engine can neither refuse in an id nor confuse in a filter, where it takes "Ana" and
    "ana" for one: lower-case base 32. Of the longest username and track id it makes 424 of 511 bytes."""
    return base64.b32encode(text.encode()).decode().rstrip("=").lower()


def document_id(username: str, track_id: str) -> str:
    """No username and no track id has a slash, so no two tracks share an id."""
    return encode(f"{username}/{track_id}")
