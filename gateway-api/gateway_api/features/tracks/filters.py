"""The filters that listing and search share, as conditions with parameters."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dj_contracts.keys import Key


class TrackFilter(BaseModel):
    """Each left out is no filter; those given must all hold."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    bpm_min: float | None = Field(default=None, ge=0, le=1000, description="Lowest tempo.")
    bpm_max: float | None = Field(default=None, ge=0, le=1000, description="Highest tempo.")
    key: list[str] = Field(default=[], max_length=24, description="Any of these keys, any spelling.")
    rating_min: int | None = Field(default=None, ge=0, le=5, description="At least so many stars.")
    genre: str | None = Field(default=None, max_length=300, description="A genre or style, any case.")
    year_min: int | None = Field(default=None, ge=0, le=9999)
    year_max: int | None = Field(default=None, ge=0, le=9999)
    has_audio: bool | None = Field(default=None, description="With audio, or without.")

    @field_validator("key")
    @classmethod
    def _canonical(cls, values: list[str]) -> list[str]:
        return [Key.parse(value).name for value in values]

    @field_validator("genre")
    @classmethod
    def _storable(cls, value: str | None) -> str | None:
        return value.replace("\x00", "") if value else None

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """SQL conditions over ``tracks t``, and the parameters that they name."""
        found: list[str] = []
        if self.bpm_min is not None:
            found.append("t.bpm >= %(bpm_min)s")
        if self.bpm_max is not None:
            found.append("t.bpm <= %(bpm_max)s")
        if self.key:
            found.append("t.key = any(%(key)s)")
        if self.rating_min is not None:
            found.append("t.star_rating >= %(rating_min)s")
        if self.genre is not None:
            found.append(
                "exists (select from unnest(t.genres || t.styles) as g where dj_fold(g) = dj_fold(%(genre)s))"
            )
        if self.year_min is not None:
            found.append("t.year >= %(year_min)s")
        if self.year_max is not None:
            found.append("t.year <= %(year_max)s")
        if self.has_audio is not None:
            found.append("(t.audio_path is not null) = %(has_audio)s")
        return found, self.model_dump()
