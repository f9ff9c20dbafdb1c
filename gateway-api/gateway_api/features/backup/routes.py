"""/api/backup, /api/backups and /api/restore."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse

from dj_servicekit.http import error_answers
from gateway_api.adapters.backup_folder import NAME_PATTERN
from gateway_api.dependencies import Gateway
from gateway_api.features.backup import usecases
from gateway_api.features.backup.models import Backup, BackupList, Manifest, RestoreReport, RestoreRequest

router = APIRouter(prefix="/api", tags=["backup"])

Name = Annotated[str, Path(pattern=NAME_PATTERN, examples=["dj-20261121-030000-1f0c-schedule.zip"])]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "The file."},
    **error_answers(404, 422),
}


@router.post("/backup", status_code=202, responses={201: {"model": Backup}, **error_answers(422, 502, 507)})
async def request_backup(
    gateway: Gateway,
    response: Response,
    wait: Annotated[bool, Query(description="Answer 201 when it is made, however long that takes.")] = False,
    checksums: Annotated[
        bool, Query(description="Read audio files that were never read. Only the first time takes long.")
    ] = True,
) -> Backup:
    """Make one file of the whole database and of what is known of the audio, checksums included. See its
    progress at /api/backups/{name}/state, and fetch it at /api/backups/{name}."""
    backup = await usecases.request_backup(gateway, reason="hand", with_checksums=checksums)
    response.headers["Location"] = f"/api/backups/{backup.name}"
    if wait:
        backup = await usecases.await_backup(gateway.backups, backup.name)
        response.status_code = 201
    return backup


@router.get("/backups")
async def list_backups(gateway: Gateway) -> BackupList:
    return usecases.list_backups(gateway)


@router.get("/backups/{name}", response_class=FileResponse, responses=_FILE)
async def fetch_backup(gateway: Gateway, name: Name) -> FileResponse:
    """The file itself. Keep a copy where the music is not."""
    path = gateway.backups.get(name)
    return FileResponse(path, media_type="application/zip", filename=name)


@router.get("/backups/{name}/state", responses=error_answers(404, 422))
async def get_backup(gateway: Gateway, name: Name) -> Backup:
    return usecases.get_backup(gateway.backups, name)


@router.get("/backups/{name}/manifest", responses=error_answers(404, 422))
async def get_manifest(gateway: Gateway, name: Name) -> Manifest:
    """What is in it: tables with their rows, the schema's number, and the audio that belongs to it."""
    return usecases.read_manifest(gateway.backups, name)


@router.put(
    "/backups/{name}",
    status_code=201,
    responses=error_answers(409, 413, 422, 507),
    openapi_extra={
        "requestBody": {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        }
    },
)
async def bring_backup(gateway: Gateway, name: Name, request: Request) -> Backup:
    """Take in a backup of another installation: ``curl -T FILE .../api/backups/``."""
    return await usecases.bring_backup(
        gateway.backups, name, request.stream(), max_bytes=gateway.settings.max_upload_bytes
    )


@router.delete("/backups/{name}", status_code=204, responses=error_answers(404, 409, 422))
async def delete_backup(gateway: Gateway, name: Name) -> None:
    usecases.delete_backup(gateway.backups, name)


@router.post("/restore", responses=error_answers(404, 409, 422, 507))
async def restore_backup(gateway: Gateway, request: RestoreRequest) -> RestoreReport:
    """Put a backup in place of everything there is, in one step that is done wholly or not at all. Asked as
    it stands it only says what would change: send ``"dry_run": false`` to do it. What was there before is
    kept as another backup."""
    return await usecases.restore_backup(gateway, request.name, dry_run=request.dry_run)
