"""/docs: the API to read and to try, with scripts from this machine alone.

A home server may have no way out, and a page that can change the collection should load nothing from
strangers. The assets are those that the package fastapi-offline carries.
"""

from importlib.resources import files
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)

Asset = Literal["swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"]
_TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    root = request.scope.get("root_path", "").rstrip("/")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title=request.app.title,
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.png",
    )


@router.get("/docs/{name}")
async def asset(name: Asset) -> FileResponse:
    path = Path(str(files("fastapi_offline"))) / "static" / name
    return FileResponse(
        path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "public, max-age=86400"}
    )
