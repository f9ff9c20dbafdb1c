"""A query string that holds the filters of a listing, and more beside them."""

from dj_contracts.tracks import Username
from gateway_api.features.tracks.filters import TrackFilter


class FilteredQuery(TrackFilter):
    username: Username | None = None

    def filters(self) -> TrackFilter:
        """The filters alone."""
        return TrackFilter.model_validate(
            self.model_dump(include=set(TrackFilter.model_fields), exclude_unset=True)
        )
