"""What the containers find when they start: folders that belong to them, and this installation's secrets.

``python -m migrations.prepare`` runs once before everything else, as root with the right to change owners
and little more, so that nothing else has to run as root. It may run again at each start.
"""

import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote


def hand_over(folder: Path, uid: int, gid: int) -> bool:
    """Give a folder with all that is in it to the services' user; answers whether it was needed."""
    folder.mkdir(parents=True, exist_ok=True)
    status = folder.stat()
    if (status.st_uid, status.st_gid) == (uid, gid):
        return False
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place) / name, uid, gid, follow_symlinks=False)
    # The folder itself comes last: a run that is cut off begins again the next time.
    os.chown(folder, uid, gid)
    return True


def keep_secret(file: Path, given: str) -> str:
    """What was given, or what was made the last time, or a new one."""
    kept = file.read_text() if file.exists() else ""
    value = given or kept or secrets.token_hex(24)
    if value != kept:
        write_secret(file, value)
    return value


def write_secret(file: Path, value: str) -> None:
    # Readable for every user of a container that mounts the volume, and for nobody else.
    partial = file.with_suffix(".new")
    partial.write_text(value)
    partial.chmod(0o444)
    partial.replace(file)


def prepare_secrets(folder: Path, environment: dict[str, str]) -> None:
    """For the gateway and one more each: ``db`` the database, ``search`` its engine, ``app`` the worker."""
    database, search, app = folder / "db", folder / "search", folder / "app"
    password = keep_secret(database / "postgres-password", environment.get("POSTGRES_PASSWORD", ""))
    write_secret(database / "database-url", f"postgresql://dj:{quote(password, safe='')}@postgres:5432/dj")
    password = keep_secret(app / "redis-password", environment.get("REDIS_PASSWORD", ""))
    write_secret(app / "redis-url", f"redis://:{quote(password, safe='')}@redis:6379/0")
    keep_secret(app / "service-token", environment.get("SERVICE_TOKEN", ""))
    key = keep_secret(search / "meili-key", environment.get("MEILI_MASTER_KEY", ""))
    # Meilisearch reads a secret from no file but this; what JSON quotes, TOML reads.
    write_secret(search / "meilisearch.toml", f"master_key = {json.dumps(key)}\n")


def main() -> int:
    environment = dict(os.environ)
    uid, gid = int(environment.get("PUID") or 1000), int(environment.get("PGID") or 1000)
    try:
        for name in filter(None, environment.get("FOLDERS", "").split(":")):
            if hand_over(Path(name), uid, gid):
                print(f"prepare: {name} now belongs to {uid}:{gid}")
        if folder := environment.get("SECRETS_DIR"):
            prepare_secrets(Path(folder), environment)
    except OSError as exc:
        print(f"prepare: {exc.filename} cannot be made ready ({exc.strerror}).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
