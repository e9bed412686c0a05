"""Domain names in other scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Url
from feeds.idn import ascii_domain, ascii_host, idna2003_domain
from feeds.settings import SiteSettings

#: The names that IDNA 2003 maps to another domain, or to another spelling: a sharp s, a final sigma, joiners.
DEVIATIONS = {
    "straße.example": "xn--strae-oqa.example",
    "STRAẞE.example": "xn--strae-oqa.example",
    "νόμος.example": "xn--xxabhm1c.example",
    "خانه‌ها.example": "xn--mgbat1hfa2927b.example",
}


@pytest.mark.parametrize(("domain", "expected"), DEVIATIONS.items())
def test_a_domain_is_the_one_that_its_registry_knows(domain, expected):
    """A sharp s, a final sigma and joiners are kept (IDNA 2008), so the name is not that of another domain."""
    assert ascii_domain(domain) == expected
    assert ascii_domain(domain) != domain.encode("idna").decode()


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.com", "example.com"),
        ("Example.COM.", "Example.COM."),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("日本語。example", "xn--wgv71a119e.example"),
        ("xn--fa-hia.bücher.example", "xn--fa-hia.xn--bcher-kva.example"),
        ("r3---ab.bücher.example", "r3---ab.xn--bcher-kva.example"),
        ("a❤b.example", "xn--ab-ony.example"),
        ("", ""),
    ],
)
def test_a_domain_is_mapped_as_browsers_do(domain, expected):
    """A domain in ASCII stays as it is; in others case, width and composition are mapped (UTS #46)."""
    assert ascii_domain(domain) == expected


@pytest.mark.parametrize(
    "domain", ["a..example", ".example", "ü..example", "ü" * 80, "a" * 64 + ".example", "ü b.example"]
)
def test_what_is_no_domain_raises_a_unicode_error(domain):
    """Empty labels, long ones and impossible characters are a UnicodeError."""
    with pytest.raises(UnicodeError):
        ascii_domain(domain)


@given(st.text(max_size=30))
def test_any_text_gives_ascii_or_a_unicode_error(text):
    """The result is in ASCII and its own ASCII form; nothing but a UnicodeError is raised."""
    try:
        found = ascii_domain(text)
    except UnicodeError:
        return
    assert found.isascii()
    assert ascii_domain(found) == found


HOSTS = {
    "https://straße.example/ß": "https://xn--strae-oqa.example/ß",
    "imaps://me@bücher.example/Bounces": "imaps://me@xn--bcher-kva.example/Bounces",
    "https://тест.рф/путь": "https://xn--e1aybc.xn--p1ai/путь",
    "https://%D1%82%D0%B5%D1%81%D1%82.%D1%80%D1%84": "https://xn--e1aybc.xn--p1ai",
    "https://me@bücher.example:8080/ü": "https://me@xn--bcher-kva.example:8080/ü",
    "https://ok.example/ü": "https://ok.example/ü",
    "https://a%2Fb.example/": "https://a%2Fb.example/",
    "https://%FF.example/": "https://%FF.example/",
    f"https://{'ü' * 80}.example/": f"https://{'ü' * 80}.example/",
    "mailto:ü@ü.example": "mailto:ü@ü.example",
}


@pytest.mark.parametrize(("written", "expected"), HOSTS.items())
def test_a_host_is_written_as_dns_has_it(written, expected):
    """A host in another script is in Punycode; one that cannot be is left alone."""
    assert ascii_host(written) == expected


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://straße.example/", "strasse.example,2026"),
        ("https://bücher.example/", "xn--bcher-kva.example,2026"),
        ("https://a❤b.example/", "xn--ab-ony.example,2026"),
        ("https://example.com/", "example.com,2026"),
    ],
)
def test_ids_keep_the_name_that_they_were_made_with(url, authority):
    """Ids of a site without `id_authority` keep the spelling of its host in earlier versions, so none changes."""
    assert SiteSettings(url=Url.parse(url)).authority == authority


def test_a_name_that_idna_2003_cannot_spell_is_left_alone():
    """A domain that is not valid IDNA is its own spelling."""
    assert idna2003_domain("xn--0.example") == "xn--0.example"
