"""A small crate of made-up records whose tempo and key are known exactly."""

from standalone.crate.files import CrateFile, make_crate
from standalone.crate.records import RECORDS, Record

__all__ = ["RECORDS", "CrateFile", "Record", "make_crate"]
