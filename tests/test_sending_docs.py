"""The settings in the documentation."""

import re

import pytest

from feeds.config import load_config
from tests.conftest import CONFIG, NEWSLETTER, ROOT

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_TOML = re.compile(r"^```toml\n(.+?)^```$", re.MULTILINE | re.DOTALL)
#: Provider -> the keys of its section in docs/sending.md.
PROVIDERS = {
    name: _TOML.search(text)[1]
    for name, text in zip(
        *[iter(_SECTION.split((ROOT / "docs" / "sending.md").read_text("utf-8"))[1:])] * 2,
        strict=True,
    )
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_keys_of_a_provider_are_valid(site, provider):
    """The keys of each provider in docs/sending.md are a valid config that sends by SMTP and reads a bounce mailbox."""
    newsletter = NEWSLETTER.partition("[mail]")[0]
    site.configure(CONFIG + newsletter + PROVIDERS[provider])
    config = load_config(site.folder / "config.toml", {})
    mail = config.settings.mail
    assert (mail.transport, mail.bounces is not None) == ("smtp", True)
    is_local = mail.smtp.host == "127.0.0.1"
    assert is_local is (mail.smtp.security == "none") is not bool(mail.smtp.user)
    assert not any("mail" in warning for warning in config.warnings)
