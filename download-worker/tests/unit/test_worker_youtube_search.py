"""yt-dlp's own YouTube search, against an answer in the form that YouTube sends."""

import io
import json
from typing import Any

import yt_dlp
from yt_dlp.networking.common import RequestHandler, Response

from dj_contracts.downloads import WantedTrack
from download_worker.sources.fetch import read_find
from download_worker.sources.matching import Find, rank
from download_worker.sources.search import searches

WANTED = WantedTrack(title="Strings of Life", artist="Rhythim Is Rhythim", duration_seconds=441)
RESULTS = [
    ("aaaaaaaaaa1", "Rhythim Is Rhythim - Strings Of Life (Live)", "Some Festival", "7:21"),
    ("aaaaaaaaaa2", "Rhythim Is Rhythim - Strings Of Life", "Transmat", "7:22"),
    ("aaaaaaaaaa3", "Strings of Life (10 hours)", "Loops", "10:00:00"),
]


class YouTubeRH(RequestHandler):  # type: ignore[misc]  # yt-dlp has no types
    """Answers every request as YouTube answers a search."""

    _SUPPORTED_URL_SCHEMES = ("https",)
    asked: list[str]

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        extensions.clear()

    def _send(self, request: Any) -> Response:
        self.asked.append(request.url)
        found = [{"videoRenderer": _video(*result)} for result in RESULTS]
        section = {"sectionListRenderer": {"contents": [{"itemSectionRenderer": {"contents": found}}]}}
        body = {"contents": {"twoColumnSearchResultsRenderer": {"primaryContents": section}}}
        return Response(io.BytesIO(json.dumps(body).encode()), request.url, {}, 200)


def _video(video_id: str, title: str, channel: str, length: str) -> dict[str, Any]:
    owner = {"text": channel, "navigationEndpoint": {"browseEndpoint": {"browseId": "UC1"}}}
    return {
        "videoId": video_id,
        "title": {"runs": [{"text": title}]},
        "ownerText": {"runs": [owner]},
        "lengthText": {"simpleText": length},
    }


def test_the_results_of_youtube_are_read_and_the_right_one_is_sure() -> None:
    youtube = YouTubeRH(logger=None)
    youtube.asked = []
    [search] = searches(("ytsearch8:{query}",), WANTED)
    options = {"extract_flat": "in_playlist", "playlist_items": "1:8", "quiet": True, "cachedir": False}
    with yt_dlp.YoutubeDL(options) as downloader:
        director = downloader._request_director
        director.handlers.clear()
        director.add_handler(youtube)
        info = downloader.extract_info(search, download=False)
    finds = [Find(**find) for entry in info["entries"] if (find := read_find(entry))]
    assert [(find.title, find.duration_seconds) for find in finds] == [
        (RESULTS[0][1], 441),
        (RESULTS[1][1], 442),
        (RESULTS[2][1], 36000),
    ]
    ranked = rank(WANTED, finds)
    assert [one.candidate.url for one in ranked if one.sure] == [
        "https://www.youtube.com/watch?v=aaaaaaaaaa2"
    ]
    assert any("/youtubei/v1/search" in url for url in youtube.asked)


def test_an_entry_that_is_no_link_is_passed_over() -> None:
    assert read_find({"url": "file:///etc/passwd", "title": "x"}) is None
    assert read_find({"title": "x"}) is None
    assert read_find({"url": "https://a.org/1", "title": None, "duration": "long", "uploader": 7}) == {
        "url": "https://a.org/1",
        "title": "",
        "uploader": "",
        "duration_seconds": None,
    }


def test_words_are_quoted_in_a_web_address_only() -> None:
    wanted = WantedTrack(title="A & B", artist="X")
    assert searches(("ytsearch8:{query}", "https://a.org/?q={query}"), wanted) == [
        "ytsearch8:X A & B",
        "https://a.org/?q=X+A+%26+B",
    ]
