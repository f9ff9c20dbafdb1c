"""The result of analysing one file, as essentia-api answers it and the gateway stores it.

A part that was not asked for or could not be measured is null or empty: silence has no tempo.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.keys import Mode

Seconds = float


class Measurement(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class TempoCandidate(Measurement):
    bpm: float
    score: float = Field(ge=0, le=1)


class Tempo(Measurement):
    bpm: float | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)
    stable: bool | None = None
    candidates: list[TempoCandidate] = []


class KeyCandidate(Measurement):
    name: str
    camelot: str
    score: float = Field(ge=0, le=1)


class MeasuredKey(Measurement):
    name: str | None = None
    tonic: int | None = Field(default=None, ge=0, le=11)
    mode: Mode | None = None
    camelot: str | None = None
    open_key: str | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)
    tuning_cents: float | None = None
    candidates: list[KeyCandidate] = []


class Energy(Measurement):
    level: int | None = Field(default=None, ge=1, le=10)
    curve: list[float] = []


class Loudness(Measurement):
    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None
    replay_gain_db: float | None = None


class Section(Measurement):
    label: str
    start: Seconds
    end: Seconds
    energy: float | None = None


class Cue(Measurement):
    kind: str
    time: Seconds


# Back to front, as DJ software paints the bands; for pages light and dark.
BAND_COLOURS = {"bass": "#2f6fed", "middle": "#f59e42", "treble": "#fff7e6"}


class Waveform(Measurement):
    """Base64 of bytes, three a point: bass, middle, treble, 255 the loudest moment of the track."""

    points: int
    overview: str = Field(description="So many points over the whole track.")
    detail_per_second: float
    detail: str


class Part(StrEnum):
    """What can be asked for; the answer leaves the rest null or empty."""

    TEMPO = "tempo"  # with beats and downbeats
    KEY = "key"
    ENERGY = "energy"
    LOUDNESS = "loudness"
    DANCEABILITY = "danceability"
    MOODS = "moods"
    SECTIONS = "sections"  # with cues
    WAVEFORM = "waveform"
    EMBEDDING = "embedding"


class Embedding(Measurement):
    name: str
    version: str
    vector: list[float]


class AnalysisResult(Measurement):
    engine_version: str
    duration_seconds: Seconds = Field(ge=0)
    tempo: Tempo = Tempo()
    beats: list[Seconds] = []
    downbeats: list[Seconds] = []
    key: MeasuredKey = MeasuredKey()
    energy: Energy = Energy()
    loudness: Loudness = Loudness()
    danceability: float | None = Field(default=None, ge=0, le=1)
    moods: dict[str, float] = {}
    sections: list[Section] = []
    cues: list[Cue] = []
    waveform: Waveform | None = None
    embedding: Embedding | None = None
    models: dict[str, str] = Field(default={}, description="Which model gave which part.")


_OLDER_MOODS = ("happy", "sad", "aggressive", "relaxed", "acoustic", "electronic")


class OlderMood(Measurement):
    all: dict[str, float]


class OlderRhythm(Measurement):
    bpm: float | None
    danceability: float | None


class OlderKey(Measurement):
    key: str | None
    scale: Mode | None
    strength: float


class OlderTonal(Measurement):
    key_edma: OlderKey


class OlderProperties(Measurement):
    length: Seconds


class OlderMetadata(Measurement):
    audio_properties: OlderProperties


class AnalysisAnswer(AnalysisResult):
    """What essentia-api answers: the result, and the same values where older callers look."""

    rhythm: OlderRhythm
    tonal: OlderTonal
    metadata: OlderMetadata
    highlevel: dict[str, OlderMood] = {}

    @classmethod
    def of(cls, result: AnalysisResult) -> "AnalysisAnswer":
        key = result.key
        return cls(
            **dict(result),
            rhythm=OlderRhythm(bpm=result.tempo.bpm, danceability=result.danceability),
            tonal=OlderTonal(
                key_edma=OlderKey(
                    key=key.name.split()[0] if key.name else None, scale=key.mode, strength=key.confidence
                )
            ),
            metadata=OlderMetadata(audio_properties=OlderProperties(length=result.duration_seconds)),
            highlevel={
                f"mood_{name}": OlderMood(all={name: result.moods[name]})
                for name in _OLDER_MOODS
                if name in result.moods
            },
        )
