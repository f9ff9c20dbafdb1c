"""A collection and whose it is."""

from pydantic import BaseModel, ConfigDict

from dj_contracts.tracks import Username


class Friend(BaseModel):
    id: int
    username: str


class NewFriend(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"username": "ana"}]})

    username: Username


class FriendList(BaseModel):
    results: list[Friend]
