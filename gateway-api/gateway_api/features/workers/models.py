"""A worker as people see it."""

from datetime import datetime

from pydantic import BaseModel

from dj_contracts.workers import WorkerReport


class SeenWorker(WorkerReport):
    """``alive``: it was heard of in the last three minutes."""

    seen_at: datetime
    alive: bool


class WorkerList(BaseModel):
    """``advice`` gathers what the living workers' tools want of a person, each thing once."""

    workers: list[SeenWorker]
    advice: list[str]
