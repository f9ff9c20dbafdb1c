"""What choosing a set must respect, in places of the pool and whole numbers."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ga_service.costs import Costs, Ints

Longs = NDArray[np.int64]


@dataclass
class Cap:
    """At most so many tracks with one name (artist, album, label), none again within ``gap``."""

    name: str
    names: list[str | None]
    most: int | None
    gap: int = 0
    members: dict[str, NDArray[np.intp]] = field(init=False)

    def __post_init__(self) -> None:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            if name is not None:
                places.setdefault(name, []).append(place)
        self.members = {name: np.array(found, dtype=np.intp) for name, found in places.items()}


@dataclass
class Share:
    """A wanted share of the set that has a genre; ``price`` for each track too many or too few."""

    genre: str
    has: NDArray[np.bool_]
    wanted: float
    price: int


@dataclass
class Problem:
    costs: Costs
    slots: int
    place_costs: Ints  # slots x pool: what it costs to play a track in a slot, whatever is beside it
    fixed: dict[int, int]
    include: list[int]
    allowed: NDArray[np.bool_]
    caps: list[Cap] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    durations: Longs | None = None  # milliseconds
    wanted_duration: int = 0
    duration_price: int = 0  # for each second off
