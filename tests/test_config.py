"""config.toml: strict, and every refusal says where."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from feeds.config import load_config
from feeds.config_types import Duration, Language, NamedAddress, Url
from feeds.errors import ConfigError
from feeds.relays import RELAYS, RelayName
from feeds.settings import Settings, Table
from tests.conftest import ROOT

REFUSED = {
    "unknown key": ('[posts]\nfoldr = "p"', "c.toml:2: posts.foldr: is not a known key; did you mean `folder`?"),
    "unknown table": ("[sit]", "c.toml:1: sit: is not a known key; did you mean `site`?"),
    "wrong type": ("[site]\nurl = 3", "c.toml:2: site.url: Expected `str`, got `int`"),
    "impossible value": ("[feeds]\nentries = 0", "c.toml:2: feeds.entries: Expected `int` >= 1"),
    "unknown value": (
        '[feeds]\nformats = ["atm"]',
        "c.toml:2: feeds.formats[0]: 'atm' is not a known value; did you mean `atom`?",
    ),
    "broken crontab": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * mon"\n[[newsletters]]\nname = "b"\nschedule = "0 8 * * mo"',
        "c.toml:6: newsletters[1].schedule: '0 8 * * mo' is not a crontab schedule: Bad day-of-week",
    ),
    "crontab fields": (
        '[[newsletters]]\nname = "a"\nschedule = "@daily"',
        "c.toml:3: newsletters[0].schedule: '@daily' is not a schedule: crontab has 5 fields, such as ",
    ),
    "key of a free table": (
        '[categories."投資分析"]\nslgu = "x"',
        "c.toml:2: categories.投資分析.slgu: is not a known key; did you mean `slug`?",
    ),
    "not TOML": ('[site]\ntitle = "a\n', "c.toml:2: is not TOML"),
    "unknown zone": ('[site]\ntimezone = "Mars"', "c.toml:2: site.timezone: 'Mars' is not a time zone"),
    "no mailbox": ('[mail]\nfrom = "nobody"', "c.toml:2: mail.from: 'nobody' is not an email address"),
    "line break in a mailbox": ('[mail]\nfrom = "a\\nBcc: x <a@example.com>"', "c.toml:2: mail.from: "),
    "table instead of list": ("[newsletters]\nx = 1", "c.toml:1: newsletters: Expected `array`, got `object`"),
    "missing key": ('[[newsletters]]\nname = "w"', "c.toml:1: newsletters[0]: `schedule` is missing"),
    "deep inside": ('[tags]\nrules = [\n{ tag = "x", mach = [] },\n]', "c.toml:4: tags.rules[0].mach: "),
    "a rule without words": ('[[tags.rules]]\ntag = "x"\nmatch = []', "c.toml:3: tags.rules[0].match: is empty"),
    "a rule with a blank word": (
        '[[tags.rules]]\ntag = "x"\nmatch = ["a", " \\u200b"]',
        "c.toml:3: tags.rules[0].match[1]: ' \\u200b' is blank",
    ),
    "a rule without a tag": ('[[tags.rules]]\ntag = ""\nmatch = ["a"]', "c.toml:2: tags.rules[0].tag: is blank"),
    "permalink": ('[posts]\npermalink = "/{yaer}/{slug}"', "c.toml:2: posts.permalink: {yaer} is not known; did you"),
    "permalink without slug": ('[posts]\npermalink = "/{year}/"', "c.toml:2: posts.permalink: needs {slug} or {stem}"),
    "missing folder": ('[posts]\nfolder = "nowhere"', "c.toml:2: posts.folder: there is no folder 'nowhere'"),
    "newsletter named twice": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"',
        "c.toml:5: newsletters[1].name: 'a' is taken",
    ),
    "newsletter that leaves its folder": ('[[newsletters]]\nname = "../a"\nschedule = "0 8 * * 1"', "c.toml:2: news"),
    "length of time": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\ncatch_up = "12 parsecs"',
        "c.toml:4: newsletters[0].catch_up: '12 parsecs' is not a duration",
    ),
    "unknown relay": (
        '[mail.smtp]\nrelay = "sess"',
        "c.toml:2: mail.smtp.relay: 'sess' is not a known value; did you mean `ses`?",
    ),
    "a relay without its host": (
        '[mail.smtp]\nuser = "me"\nrelay = "ses"',
        "c.toml:3: mail.smtp.relay: 'ses' has a host for each region: set host, such as email-smtp.eu-west-1.amazonaws",
    ),
    "a further relay without its host": (
        '[mail.smtp]\n[[mail.servers]]\n[[mail.servers]]\nrelay = "mailgun"\nport = 25',
        "c.toml:4: mail.servers[1].relay: 'mailgun' has a host for each region: set host, such as smtp.mailgun.org or",
    ),
    "unknown key of a further server": (
        '[mail.smtp]\n[[mail.servers]]\nhots = "x"',
        "c.toml:3: mail.servers[0].hots: is not a known key; did you mean `host`?",
    ),
    "a weight of nothing": (
        '[mail.smtp]\n[[mail.servers]]\nrelay = "sendgrid"\nweight = 0',
        "c.toml:4: mail.servers[0].weight: Expected `int` >= 1",
    ),
    "a relay that is no text": ("[mail.smtp]\nrelay = []", "c.toml:2: mail.smtp.relay: Expected `str`"),
    "servers that are no list": ("[mail.smtp]\n[mail.servers]\nport = 1", "c.toml:2: mail.servers: Expected `array`"),
    "servers beside none": (
        '[mail]\n[[mail.servers]]\nhost = "mail.example.com"',
        "c.toml:2: mail.servers: stand beside [mail.smtp], which is missing",
    ),
    "a title with a line break": ('[site]\ntitle = "a\\nb"', "c.toml:2: site.title: 'a\\nb' holds a line break"),
    "an issue that could never be": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\nmin_posts = 5\nmax_posts = 2',
        "c.toml:4: newsletters[0].min_posts: is more than max_posts (2)",
    ),
    "a feed of the name of a folder": (
        '[[feeds.extra]]\nname = "category"',
        "c.toml:2: feeds.extra[0].name: 'category' is a folder of other feeds",
    ),
    "two feeds of one name": (
        '[[feeds.extra]]\nname = "a"\n[[feeds.extra]]\nname = "a"',
        "c.toml:4: feeds.extra[1].name: 'a' is taken by an earlier feed",
    ),
    "a former name that is in use": (
        '[categories.a]\nwas = ["b"]\n[categories.b]\nslug = "x"',
        "c.toml:2: categories.a.was: 'b' is a category of its own",
    ),
    "a former name of two": (
        '[categories.a]\nwas = ["x"]\n[categories.b]\nwas = ["x"]',
        "c.toml:4: categories.b.was: 'x' became 'a' already",
    ),
    "a hub that is no address": (
        '[feeds]\nhub = "hub.example.com"',
        "c.toml:2: feeds.hub: 'hub.example.com' is not an absolute http(s) URL",
    ),
    "a hub with a space": ('[feeds]\nhub = "https://hub.example/a b"', "c.toml:2: feeds.hub: "),
    "a colour that is none": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[newsletters.theme]\naccent = "red"',
        "c.toml:5: newsletters[0].theme.accent: ",
    ),
    "a font that leaves its attribute": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[newsletters.theme]\nfont = "a;} x"',
        "c.toml:5: newsletters[0].theme.font: ",
    ),
    "no rest between passes": ('[publish]\nevery = "0 s"', "c.toml:2: publish.every: must be at least a second"),
    "an address with a query": ('[site]\nurl = "https://example.com/?a=b"', "c.toml:2: site.url: "),
    "tagging authority": ('[site]\nid_authority = "example.com"', "c.toml:2: site.id_authority: "),
    "database not built yet": (
        '[store]\nurl = "postgresql://db/feeds"',
        "c.toml:2: store.url: PostgreSQL is not built",
    ),
    "database unknown": ('[store]\nurl = "mysql://db/feeds"', "c.toml:2: store.url: "),
}


@pytest.fixture(autouse=True)
def posts(tmp_path):
    (tmp_path / "posts").mkdir()


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_config_names_file_line_key_and_remedy(tmp_path, text, message):
    """Whatever is wrong, one line says where it stands and what to do."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config((tmp_path / "c.toml").relative_to(tmp_path), {})
    assert str(caught.value).startswith(message)


def test_a_missing_config_says_how_to_make_one(tmp_path):
    """Whoever has no config learns of `feeds init`."""
    with pytest.raises(ConfigError, match=r"config\.toml: there is no such file; `feeds init` makes a site"):
        load_config(tmp_path / "config.toml", {})


def test_a_config_that_is_not_utf8_is_refused(tmp_path):
    """Bytes that are no UTF-8 are named, not guessed at."""
    (tmp_path / "c.toml").write_bytes(b'[site]\ntitle = "\xff"')
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(tmp_path / "c.toml", {})


def test_a_hub_is_asked_as_it_is_written(tmp_path):
    """No slash is put behind its path, and a query stays: it is no folder."""
    (tmp_path / "c.toml").write_text('[feeds]\nhub = "https://hub.example/push?site=1"', "utf-8")
    assert load_config(tmp_path / "c.toml", {}).settings.feeds.hub == "https://hub.example/push?site=1"


def test_every_key_may_be_left_out(tmp_path):
    """An empty config is a site, with a word about the two keys that matter most."""
    (tmp_path / "c.toml").write_text("", "utf-8")
    config = load_config(tmp_path / "c.toml", {})
    assert config.settings == Settings()
    assert [w.split(": ")[1] for w in config.warnings] == ["site.url", "site.id_authority"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[web]\nurl = "https://example.com"', "web.url"),
    ],
)
def test_a_key_whose_part_is_not_built_yet_is_a_named_warning(tmp_path, text, key):
    """Nothing that was asked for is silently left undone."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    warnings = load_config(tmp_path / "c.toml", {}).warnings
    line = len(text.splitlines())
    assert any(w.startswith(f"{tmp_path}/c.toml:{line}: {key}: not built yet: ") for w in warnings)


def test_the_sample_config_has_no_warning_and_names_every_key():
    """The sample is the reference: what it does not name does not exist."""
    config = load_config(ROOT / "config.toml", {})
    assert config.warnings == ()
    text = (ROOT / "config.toml").read_text("utf-8")
    names = {known.encode_name for table in _tables(Settings) for known in fields(table)}
    assert [name for name in sorted(names) if name not in text] == []


def _tables(table):
    yield table
    for known in fields(table):
        if isinstance(known.type, type) and issubclass(known.type, Table):
            yield from _tables(known.type)


def test_a_variable_lays_one_value_over_the_file(tmp_path):
    """FEEDS_<TABLE>_<KEY> overrides, numbers as numbers, and its errors name the variable."""
    (tmp_path / "c.toml").write_text('[site]\nurl = "https://example.com/"', "utf-8")
    environ = {
        "FEEDS_SITE_URL": "https://other.example",
        "FEEDS_SITE_TITLE": "2026",
        "FEEDS_FEEDS_ENTRIES": "3",
        "FEEDS_MAIL_SMTP_PORT": "99",
    }
    settings = load_config(tmp_path / "c.toml", environ).settings
    assert (settings.site.url, settings.feeds.entries, settings.mail.smtp.port) == ("https://other.example/", 3, 99)
    with pytest.raises(ConfigError, match=r"^\$FEEDS_FEEDS_ENTRIES: feeds\.entries: Expected `int`"):
        load_config(tmp_path / "c.toml", {"FEEDS_FEEDS_ENTRIES": "many"})


SERVERS = """
[mail.smtp]
relay = "postmark"
user = "key"

[[mail.servers]]
relay = "ses"
host = "email-smtp.eu-west-1.amazonaws.com"
port = 2587
security = "tls"
password_env = "SES_PASSWORD"
weight = 3

[[mail.servers]]
"""


def test_a_relay_says_what_its_keys_are_only_where_they_are_not_set(tmp_path):
    """In the file or by a variable; without a relay everything is as if there were none."""
    (tmp_path / "c.toml").write_text(SERVERS, "utf-8")
    keys = lambda mail: [(server.host, server.port, server.security, server.weight) for server in mail.all_servers]  # noqa: E731
    mail = load_config(tmp_path / "c.toml", {}).settings.mail
    assert keys(mail) == [
        ("smtp-broadcasts.postmarkapp.com", 587, "starttls", 1),
        ("email-smtp.eu-west-1.amazonaws.com", 2587, "tls", 3),
        ("127.0.0.1", 25, "none", 1),
    ]
    mail = load_config(
        tmp_path / "c.toml", {"FEEDS_MAIL_SMTP_RELAY": "sendgrid", "FEEDS_MAIL_SMTP_PORT": "2525"}
    ).settings.mail
    assert keys(mail)[0] == ("smtp.sendgrid.net", 2525, "starttls", 1)


def test_each_server_has_the_password_of_its_own_variable(tmp_path):
    """Which may be one for several; none is shown where a config is."""
    (tmp_path / "c.toml").write_text(SERVERS, "utf-8")
    config = load_config(tmp_path / "c.toml", {"FEEDS_SMTP_PASSWORD": "hush", "SES_PASSWORD": "hushhush"})
    assert config.smtp_passwords == ("hush", "hushhush", "hush")
    assert "hush" not in repr(config)


def test_every_relay_that_may_be_named_is_known():
    """And a host that nobody could guess has an example."""
    assert set(get_args(RelayName)) == set(RELAYS)
    assert [name for name, relay in RELAYS.items() if relay.defaults.get("host") == "" and not relay.host_example] == []


@given(st.sampled_from(["ja", "zh-hans", "PT_br", "de-AT-1996"]))
def test_language_tags_get_their_usual_case(tag):
    """The tag is written as RFC 5646 recommends, and stays so when read again."""
    found = Language.parse(tag)
    assert found.lower() == tag.lower().replace("_", "-")
    assert Language.parse(found) == found


@given(st.integers(0, 10_000), st.sampled_from(["s", "min", "h", "d", "w", "days", "day"]))
def test_a_length_of_time_reads_as_it_is_said(number, unit):
    """A number and a unit, with or without a space between."""
    assert Duration.parse(f"{number}{unit}") == Duration.parse(f"{number} {unit}")


@given(st.text(max_size=30))
def test_no_text_makes_a_value_type_raise_anything_but_its_refusal(text):
    """A wrong value is always a ValueError with words, never another exception."""
    for kind in (Url, Duration, Language, NamedAddress):
        try:
            kind.parse(text)
        except ValueError as refusal:
            assert str(refusal)
