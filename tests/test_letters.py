"""Letters as servers, filters and mail programs see them."""

import re
import shutil
import subprocess
from email import message_from_bytes, policy

import pytest

from tests.letters import LANGUAGES, TEMPLATES, written

NAMES = [f"{template}-{lang}" for template in TEMPLATES for lang in LANGUAGES]


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    return written(tmp_path_factory.mktemp("letters"))


@pytest.mark.skipif(shutil.which("spamassassin") is None, reason="SpamAssassin is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_spamassassin_finds_next_to_nothing(letters, name, tmp_path):
    """At most half a point of the five that make spam, by its own rules alone (no network)."""
    done = subprocess.run(
        ["spamassassin", "-L", "-t"],
        input=letters[name],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        timeout=60,
    )
    found = re.search(rb"^Content analysis details:\s+\((-?[0-9.]+) points", done.stdout, re.MULTILINE)
    assert found is not None
    assert float(found[1]) <= 0.5, done.stdout[-2000:].decode()


@pytest.mark.parametrize("name", NAMES)
def test_every_server_takes_it_as_it_is(letters, name):
    """ASCII only, lines of at most 998 bytes (RFC 5322, 2.1.1), text before HTML, both below Gmail's cut."""
    raw = letters[name]
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text, html = message_from_bytes(raw, policy=policy.default).iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().strip()
    assert len(html.get_content().encode()) < 100_000
    assert len(html.get_payload()) < 100_000
