"""All checks: each returns a line for each broken rule, with the section of the specification."""

from tests.validity.atom import archive_faults, atom_faults, updated_faults
from tests.validity.jsonfeed import json_faults
from tests.validity.opml import opml_faults
from tests.validity.rss import rss_faults

__all__ = ["archive_faults", "atom_faults", "json_faults", "opml_faults", "rss_faults", "updated_faults"]
