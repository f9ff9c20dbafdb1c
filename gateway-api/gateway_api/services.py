"""What the use-cases are given: every outside part of the gateway, built once in main.py."""

from dataclasses import dataclass

from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.adapters.audio_storage import AudioStorage
from gateway_api.adapters.backup_folder import BackupFolder
from gateway_api.adapters.dead_pushes import DeadPushes
from gateway_api.adapters.event_bus import EventBus
from gateway_api.adapters.ga_client import GAClient
from gateway_api.adapters.job_queue import JobQueue
from gateway_api.adapters.meilisearch.index import MeilisearchIndex
from gateway_api.db import Pool
from gateway_api.embedding_port import TextEmbedder
from gateway_api.settings import Settings


@dataclass(frozen=True)
class Services:
    settings: Settings
    db: Pool
    queue: JobQueue
    events: EventBus
    dead_pushes: DeadPushes
    ga: GAClient
    audio: AudioFolders
    storage: AudioStorage
    backups: BackupFolder
    index: MeilisearchIndex | None = None
    embedder: TextEmbedder | None = None
