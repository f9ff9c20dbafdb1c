"""What workers say of themselves, as people see it."""

from typing import Any

from dj_contracts.examples import read_example


async def test_a_worker_and_its_tools_are_shown_with_what_to_do(gateway: Any) -> None:
    assert "No worker" in (await gateway.get("/api/workers"))["advice"][0]
    report = read_example("worker-report")
    for _ in range(2):
        assert (await gateway.worker.post("/internal/workers", json=report)).status_code == 204
    assert (await gateway.http.post("/internal/workers", json=report)).status_code == 401
    shown = await gateway.get("/api/workers")
    (worker,) = shown["workers"]
    assert {name: worker[name] for name in report} == report
    assert worker["alive"]
    assert shown["advice"] == ["Not installed: Apple Music links fail."]


async def test_a_worker_that_is_not_heard_of_is_not_alive(gateway: Any) -> None:
    await gateway.worker.post("/internal/workers", json=read_example("worker-report"))
    async with gateway.services.db.connection() as conn:
        await conn.execute("update workers set seen_at = now() - interval '1 hour'")
    shown = await gateway.get("/api/workers")
    assert not shown["workers"][0]["alive"]
    assert "No worker" in shown["advice"][0]
