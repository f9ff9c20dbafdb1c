"""Which version of a track a title names: live, remix, radio edit, sped up, a ten-hour loop, ...

A title is folded to plain words; what names a version is cut out of it and counted, what says nothing
about the recording ("official video") is dropped, and the words that are left are names.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

# Each entry is a pattern over folded words, and stands for "this word, as a whole".
# Says nothing about which recording it is. Taken out first, so that "original mix" is no mix.
_NEUTRAL_WORDS = (
    r"original (mix|version|recording)",
    r"(main|album|lp) (version|mix)",
    r"official( (music|lyrics?|audio|hd))?( (video|audio|visuali[sz]er))?",
    r"(music|lyrics?) video|with lyrics|lyrics?",
    r"audio( only)?|video( clip)?|visuali[sz]er",
    r"hd|hq|uhd|4k|1080p|720p|320( )?kbps|flac|mp3|wav|high quality|explicit",
    r"((19|20)\d\d )?(digital(ly)? )?remaster(ed)?( (19|20)\d\d)?( version)?",
    r"full (song|track)|vinyl( rip)?|free (download|dl)|out now|premiere|exclusive|topic|vevo",
)
# Cut out in this order: the longer names stand before the shorter ones that they contain.
_VERSION_WORDS = {
    "a loop": (
        r"\d+ ?(hours?|hrs?|h|horas?|stunden|heures?|ore|minutes?|mins?)( (loop(ed)?|version|mix))?",
        r"loop(ed)?|(on|in) repeat|repeated",
    ),
    "sped up": (r"sped ?up|speed(ed)? ?up|fast(er)? version|nightcore|pitched( up)?",),
    "slowed": (
        r"slow(ed|er)( down)?( (and|n) )?( ?reverb(ed)?)?|daycore|reverb",
        r"chopped( and screwed)?|screwed",
    ),
    "altered sound": (r"(8|16) ?d( audio)?|bass ?boost(ed)?|432 ?hz|surround|8 ?bit|concert hall",),
    "karaoke": (r"karaoke|sing ?along|backing track|minus one",),
    "a cover": (
        r"cover(s|ed)?( version)?( by)?|tribute( to)?|in the style of|made famous by|parody|type beat",
        r"originally (performed|recorded|sung) by|(piano|guitar) (version|tutorial)",
        r"lullaby( version)?|string quartet|orchestral( version)?|ai (cover|version)",
    ),
    "no song": (
        r"tutorial|lesson|how to( play)?|reaction|reacts( to)?|interview|trailer|teaser|preview|snippet",
        r"making of|behind the scenes|documentary|podcast|unboxing",
    ),
    "a set": (
        r"dj (set|mix)|continuous( dj)? mix|mega ?mix|full (album|ep|lp|set)|compilation|playlist|mixtape",
        r"best of|greatest hits|medley|radio show|boiler room|essential mix",
    ),
    "live": (
        r"live( (at|in|from|on|session|version|set|performance|video|recording))?",
        r"(in )?concert|unplugged|sessions?|rehearsal|festival|tour",
        r"(en|ao|dal) vivo|en directo|en concert",
    ),
    "instrumental": (r"instrumental( (version|mix|edit))?|(no|without) vocals",),
    "a cappella": (r"a ?cap+ell?a( version)?|vocals? only|isolated vocals",),
    "acoustic": (r"acoustic( (version|session|mix))?|stripped( (back|down))?( version)?",),
    "extended": (
        r"extended( (mix|version|edit|play))?|(long|full length|full) (version|mix)",
        r"maxi( (single|version))?",
    ),
    "12 inch": (r"12 ?(inch|in)( (mix|version|edit|single))?|disco mix",),
    "radio edit": (
        r"(radio|single|short|video|tv) (edit|mix|version|cut)|7 ?(inch|in)( (mix|version|edit))?",
        r"clean( (version|edit))?|cut|shortened",
    ),
    "club mix": (r"club (mix|version|edit)",),
    "a remix": (r"re ?mix(ed|es)?|rmx|re ?work(ed)?|re ?fix|boot ?leg|flip|vip( mix)?|re ?make|re ?rub",),
    "a mashup": (r"mash ?up|vs",),
    "a dub": (r"dub( (mix|version|edit))?",),
    "an edit": (r"re ?edit(ed|s)?|edit(ed|s)?",),
    "a take": (
        r"(alternat(e|ive)|early|demo|rough|unreleased|re ?recorded|taylors?)( (take|mix|version|demo))?",
        r"out ?take",
        r"take \d+|reprise|mono( (mix|version))?|(19|20)\d\d version",
    ),
    "a mix": (r"mix(ed|es)?",),
    "a version": (r"version|interlude|intro|outro|skit",),
}


def _whole_words(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(patterns)})\b")


_NEUTRAL = _whole_words(_NEUTRAL_WORDS)
_VERSIONS = {name: _whole_words(patterns) for name, patterns in _VERSION_WORDS.items()}
_FEATURED = re.compile(r"[(\[]?\s*\b(?:feat|ft|featuring)\b\.?\s+([^()\[\]]*)[)\]]?", re.IGNORECASE)
_INCHES = re.compile(r"\b(7|10|12)\s*(?:\"|''|”|″)")
_NOT_A_WORD = re.compile(r"[^\w]+")
_LITTLE = {"the", "a", "an", "and", "by", "of", "feat", "ft", "featuring", "with", "x", "prod", "s", "n"}


@dataclass(frozen=True)
class Name:
    """``words`` are what is left of a title; ``featured`` are the guests that it names."""

    versions: Counter[str]
    words: Counter[str]
    featured: frozenset[str]


def fold(text: str) -> str:
    """Plain lower-case words without accents or punctuation."""
    text = _INCHES.sub(r" \1inch ", text).replace("'", "").replace("’", "").replace("&", " and ")
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return _NOT_A_WORD.sub(" ", plain.replace("_", " ")).strip()


def words_of(text: str) -> Counter[str]:
    return Counter(word for word in fold(text).split() if word not in _LITTLE)


def read_name(title: str) -> Name:
    featured = " ".join(_FEATURED.findall(title))
    folded = _NEUTRAL.sub(" ", fold(_FEATURED.sub(" ", title)))
    versions: Counter[str] = Counter()
    for name, pattern in _VERSIONS.items():
        folded, found = pattern.subn(" ", folded)
        if found:
            versions[name] += found
    return Name(versions, words_of(folded), frozenset(words_of(featured)))
