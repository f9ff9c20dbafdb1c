"""Writes schema.sql: the whole schema as one file, for people who read and tests that compare.

Run as ``python -m migrations.dump > migrations/schema.sql`` with DATABASE_URL on a migrated database.
"""

import os
import subprocess
from pathlib import Path

SCHEMA = Path(__file__).parent / "schema.sql"
_SESSION_NOISE = ("--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict")


def dump_schema(url: str, pg_dump: str = "pg_dump") -> str:
    """The schema of a database without what differs between two dumps of one schema."""
    command = [pg_dump, "--schema-only", "--no-owner", "--no-privileges", "--dbname", url]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in dumped.splitlines() if not line.startswith(_SESSION_NOISE)]
    blocks = [block.strip("\n") for block in "\n".join(lines).split("\n\n")]
    return "\n\n".join(block for block in blocks if block.strip()) + "\n"


if __name__ == "__main__":
    print(dump_schema(os.environ["DATABASE_URL"]), end="")
