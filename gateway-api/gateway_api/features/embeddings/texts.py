"""What is written about a track, as one text for the model.

The local model knows words and not genres: it puts "jungle" near "piano". So a genre brings a few words
that people use for it. Numbers become words too, for nobody asks for "energy 8".
"""

import hashlib

from gateway_api.features.embeddings.models import DueText

# Raise it when the text is put together differently, and every track is embedded anew.
RECIPE = 1
_MOST_CHARACTERS = 1500
_GENRES = {
    "acid": "squelching hypnotic 303",
    "afro": "percussion african rhythm organic",
    "ambient": "calm atmospheric floating sleep relaxing quiet",
    "balearic": "sunset beach island warm relaxed",
    "ballad": "slow sad love romantic heartbreak",
    "bass": "heavy low end sub",
    "breakbeat": "broken beats funky",
    "breaks": "broken beats funky",
    "chill": "relaxed calm easy lounge",
    "deep house": "warm smooth soulful late night sunrise",
    "disco": "retro seventies dance funky strings glitter",
    "downtempo": "slow relaxed calm after hours",
    "drum & bass": "fast breakbeats heavy bass jungle energetic",
    "drum n bass": "fast breakbeats heavy bass jungle energetic",
    "dub": "echo reverb deep reggae space",
    "dubstep": "heavy bass wobble half time",
    "electro": "robotic machine synthetic eighties",
    "folk": "acoustic guitar quiet singer",
    "funk": "groovy bass horns soulful party",
    "garage": "shuffled swing bass london",
    "gospel": "choir uplifting church joy",
    "hardcore": "very fast hard aggressive rave",
    "hip hop": "rap beats street urban",
    "house": "dance club groove four to the floor party",
    "italo": "eighties synth retro dance romantic",
    "jazz": "saxophone piano improvisation smoky bar",
    "jungle": "fast chopped breakbeats ragga heavy bass nineties rave",
    "lo-fi": "relaxing study mellow dusty beats",
    "minimal": "stripped sparse hypnotic",
    "neurofunk": "dark fast angry bass",
    "pop": "catchy singalong radio crowd pleaser",
    "progressive": "long building journey melodic",
    "rave": "nineties euphoric hands in the air",
    "reggae": "laid back sunny island jamaica",
    "rock": "guitars drums loud band",
    "soul": "warm emotional voice love",
    "techno": "dark club driving machine warehouse industrial night",
    "trance": "euphoric uplifting melodic hands in the air",
    "trip hop": "slow moody smoky dark beats",
}
_MOODS = {
    "mood_happy": "happy cheerful joyful",
    "mood_sad": "sad melancholic wistful",
    "mood_relaxed": "relaxed calm mellow",
    "mood_aggressive": "aggressive angry hard",
}


def describe(track: DueText) -> str:
    """Title, artist and album first: where a service cuts a text, it cuts at its end."""
    genres = list(dict.fromkeys([*track.genres, *track.styles]))
    parts = [track.title, track.artist, track.album, *genres, *track.local_tags, *_said_of(genres)]
    if track.year:
        parts.append(f"{track.year} {track.year // 10 * 10}s")
    parts += [words for name, words in _MOODS.items() if (getattr(track, name) or 0) > 0.6]
    parts += [_tempo_words(track.bpm), _energy_words(track.energy), track.notes or ""]
    return ". ".join(part for part in parts if part)[:_MOST_CHARACTERS]


def fingerprint(text: str) -> str:
    return f"{RECIPE}:{hashlib.sha256(text.encode()).hexdigest()}"


def _said_of(genres: list[str]) -> list[str]:
    together = " ".join(genres).lower()
    return [words for genre, words in _GENRES.items() if genre in together]


def _tempo_words(bpm: float | None) -> str:
    if bpm is None:
        return ""
    return "slow" if bpm < 95 else "fast" if bpm > 150 else ""


def _energy_words(energy: float | None) -> str:
    if energy is None:
        return ""
    return (
        "calm quiet warm-up" if energy <= 3 else "energetic powerful peak time crowd" if energy >= 8 else ""
    )
