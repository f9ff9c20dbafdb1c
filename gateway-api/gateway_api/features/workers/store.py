"""The statements over what workers said last."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from dj_contracts.workers import WorkerReport
from gateway_api.db import Connection


async def save_report(conn: Connection, report: WorkerReport, *, forget_after_seconds: float) -> None:
    await conn.execute(
        """
        insert into workers (name, report) values (%s, %s)
        on conflict (name) do update set report = excluded.report, seen_at = now()
        """,
        [report.name, Jsonb(report.model_dump(mode="json"))],
    )
    await conn.execute(
        "delete from workers where seen_at < now() - make_interval(secs => %s)", [forget_after_seconds]
    )


async def list_reports(
    conn: Connection, *, seen_within_seconds: float
) -> list[tuple[WorkerReport, datetime, bool]]:
    """(report, when, whether it is recent), the newest worker first."""
    cursor = await conn.execute(
        """
        select report, seen_at, seen_at > now() - make_interval(secs => %s) from workers
        order by report ->> 'started_at' desc, name
        """,
        [seen_within_seconds],
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [(WorkerReport.model_validate(report), seen_at, recent) for report, seen_at, recent in rows]
