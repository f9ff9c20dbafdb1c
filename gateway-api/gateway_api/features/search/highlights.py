"""Marks in a hit's texts what was searched for, as HTML that can be shown as it is."""

import html
import re
import unicodedata
from collections.abc import Collection

from dj_contracts.tracks import Highlighted

_WORD = re.compile(r"[^\W_]+")
# What decomposition leaves whole; the rest of dj_fold()'s dictionary is accents, which it takes off.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def fold_word(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.lower().translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def highlight(title: str, artist: str, album: str, beginnings: Collection[str]) -> Highlighted:
    """The texts with every word in <em> that begins with one of these folded words."""
    starts = tuple(beginnings)
    return Highlighted(**{
        name: _marked(text, starts) for name, text in (("title", title), ("artist", artist), ("album", album))
    })  # fmt: skip


def _marked(text: str, starts: tuple[str, ...]) -> str:
    parts, place = [], 0
    for match in _WORD.finditer(text):
        parts.append(html.escape(text[place : match.start()]))
        word = html.escape(match[0])
        parts.append(f"<em>{word}</em>" if fold_word(match[0]).startswith(starts) else word)
        place = match.end()
    return "".join([*parts, html.escape(text[place:])])
