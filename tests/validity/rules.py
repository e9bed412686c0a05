"""Whether a document is valid: one line for each violated rule, with the section that holds it; none if it is."""

from tests.validity.atom import archive_faults, atom_faults, updated_faults
from tests.validity.jsonfeed import json_faults
from tests.validity.opml import opml_faults
from tests.validity.rss import rss_faults

__all__ = ["archive_faults", "atom_faults", "json_faults", "opml_faults", "rss_faults", "updated_faults"]
