"""What routes take from a request: the services, and whose collection it is about."""

from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from dj_contracts.tracks import Username
from gateway_api.services import Services


# Both are async, though they wait for nothing: FastAPI would hand a plain function to a thread, which costs
# more than the function, on every request.
async def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Gateway = Annotated[Services, Depends(_services)]


async def _owner(
    request: Request,
    username: Annotated[
        Username | None,
        Query(description="Whose collection. Left out, it is the owner's own."),
    ] = None,
) -> str:
    return username or str(request.app.state.settings.default_username)


Owner = Annotated[str, Depends(_owner)]
TrackIDPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~:-]{1,200}$", examples=["12345-A1"])]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
RowID = Annotated[int, Path(ge=1, le=2**63 - 1)]
