"""What a worker says of itself and of the tools it works with, for the page of GET /api/workers."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

Word = Annotated[str, Field(min_length=1, max_length=200)]


class Tool(BaseModel):
    """``version`` is null when the tool is missing. ``advice`` is for people, and empty when all is well."""

    name: Word
    version: Annotated[str, Field(max_length=200)] | None
    age_days: int | None = Field(default=None, description="Since its release, where the version says.")
    advice: Annotated[str, Field(max_length=500)] = ""


class CookieFile(BaseModel):
    name: Word
    age_days: int = Field(ge=0, description="Since it was uploaded.")


class WorkerReport(BaseModel):
    """Sent at start and every minute; the tools are looked at again every hour."""

    name: Word
    hostname: Word
    process_id: int
    started_at: AwareDatetime
    checked_at: AwareDatetime = Field(description="When the tools were looked at.")
    tools: Annotated[list[Tool], Field(max_length=50)]
    cookies: Annotated[list[CookieFile], Field(max_length=200)]
