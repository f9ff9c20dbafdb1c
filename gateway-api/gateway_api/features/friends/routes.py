"""/api/friends."""

from fastapi import APIRouter

from dj_contracts.tracks import Username
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway
from gateway_api.features.friends import usecases
from gateway_api.features.friends.models import Friend, FriendList, NewFriend

router = APIRouter(prefix="/api/friends", tags=["friends"])


@router.get("")
async def list_friends(gateway: Gateway) -> FriendList:
    """The collections of this installation, the owner's among them."""
    return FriendList(results=await usecases.list_friends(gateway.db))


@router.post("", status_code=201, responses=error_answers(409, 422))
async def add_friend(gateway: Gateway, friend: NewFriend) -> Friend:
    return await usecases.add_friend(gateway.db, friend.username)


@router.delete("", status_code=204, responses=error_answers(404, 409, 422))
async def remove_friend(gateway: Gateway, username: Username, with_tracks: bool = False) -> None:
    """Remove a collection; ``with_tracks=true`` deletes its tracks and playlists too."""
    await usecases.remove_friend(
        gateway.db, username, own_username=gateway.settings.default_username, with_tracks=with_tracks
    )
