"""Reading config.toml: its errors, its warnings, and the environment variables that override it."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from feeds.config import load_config
from feeds.config_types import Duration, Endpoint, Host, Language, MailboxUrl, NamedAddress, Url
from feeds.errors import ConfigError
from feeds.relays import RELAYS, RelayName
from feeds.settings import Settings, Table
from tests.conftest import ROOT

INVALID = {
    "unknown key": ('[posts]\nfoldr = "p"', "c.toml:2: posts.foldr: is not a known key; did you mean `folder`?"),
    "unknown table": ("[sit]", "c.toml:1: sit: is not a known key; did you mean `site`?"),
    "wrong type": ("[site]\nurl = 3", "c.toml:2: site.url: must be a text in quotes"),
    "value out of range": ("[feeds]\nentries = 0", "c.toml:2: feeds.entries: must be at least 1"),
    "unknown value": (
        '[feeds]\nformats = ["atm"]',
        "c.toml:2: feeds.formats[0]: 'atm' is not a known value; did you mean `atom`?",
    ),
    "broken crontab": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * mon"\n[[newsletters]]\nname = "b"\nschedule = "0 8 * * mo"',
        "c.toml:6: newsletters[1].schedule: '0 8 * * mo' is not a crontab schedule: Bad day-of-week",
    ),
    "wrong number of crontab fields": (
        '[[newsletters]]\nname = "a"\nschedule = "@daily"',
        "c.toml:3: newsletters[0].schedule: '@daily' is not a schedule: crontab has 5 fields, such as ",
    ),
    "unknown key in a free table": (
        '[categories."投資分析"]\nslgu = "x"',
        "c.toml:2: categories.投資分析.slgu: is not a known key; did you mean `slug`?",
    ),
    "not TOML": ('[site]\ntitle = "a\n', "c.toml:2: is not TOML"),
    "unknown time zone": ('[site]\ntimezone = "Mars"', "c.toml:2: site.timezone: 'Mars' is not a time zone"),
    "not an email address": ('[mail]\nfrom = "nobody"', "c.toml:2: mail.from: 'nobody' is not an email address"),
    "line break in an email address": ('[mail]\nfrom = "a\\nBcc: x <a@example.com>"', "c.toml:2: mail.from: "),
    "table instead of list": (
        "[newsletters]\nx = 1",
        "c.toml:1: newsletters: must be a list of tables; write [[newsletters]]",
    ),
    "missing key": ('[[newsletters]]\nname = "w"', "c.toml:1: newsletters[0]: `schedule` is missing"),
    "unknown key in a list of tables": (
        '[tags]\nrules = [\n{ tag = "x", mach = [] },\n]',
        "c.toml:4: tags.rules[0].mach: ",
    ),
    "tag rule without words": ('[[tags.rules]]\ntag = "x"\nmatch = []', "c.toml:3: tags.rules[0].match: is empty"),
    "tag rule with a blank word": (
        '[[tags.rules]]\ntag = "x"\nmatch = ["a", " \\u200b"]',
        "c.toml:3: tags.rules[0].match[1]: ' \\u200b' is blank",
    ),
    "tag rule without a tag": ('[[tags.rules]]\ntag = ""\nmatch = ["a"]', "c.toml:2: tags.rules[0].tag: is blank"),
    "unknown placeholder in a permalink": (
        '[posts]\npermalink = "/{yaer}/{slug}"',
        "c.toml:2: posts.permalink: {yaer} is not a known placeholder; did",
    ),
    "an unknown generator": (
        '[posts]\ngenerator = "jekyl"',
        "c.toml:2: posts.generator: 'jekyl' is not a known value; did",
    ),
    "a notation without a generator": (
        '[posts]\npermalink = "/:year/:title/"',
        "c.toml:2: posts.permalink: placeholders such as :title mean something else in Jekyll, Hugo and Hexo; set",
    ),
    "a pattern of a section": (
        '[posts.permalinks]\nnews = "/{yaer}/{slug}"',
        "c.toml:2: posts.permalinks.news: {yaer} is not a known placeholder; did you mean {year}?",
    ),
    "a pattern of translations": (
        '[posts]\npermalink_lang = "/{lang}/"',
        "c.toml:2: posts.permalink_lang: needs {slug}, {name}, {title}, {stem} or {path}",
    ),
    "a missing file of authors": (
        '[posts]\nauthors = "people.yml"',
        "c.toml:2: posts.authors: 'people.yml' does not exist; correct its name, or remove the key",
    ),
    "permalink without slug": ('[posts]\npermalink = "/{year}/"', "c.toml:2: posts.permalink: needs {slug}, {name}, "),
    "missing folder": ('[posts]\nfolder = "nowhere"', "c.toml:2: posts.folder: 'nowhere' does not exist"),
    "two newsletters with one name": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"',
        "c.toml:5: newsletters[1].name: 'a' is the name of an earlier newsletter",
    ),
    "newsletter name that is not a folder name": (
        '[[newsletters]]\nname = "../a"\nschedule = "0 8 * * 1"',
        "c.toml:2: news",
    ),
    "a relative logo": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\ntheme = { logo = "logo.png" }',
        "c.toml:4: newsletters[0].theme.logo: 'logo.png' is not an absolute URL; write such as 'http://localhost/logo.png'",
    ),
    "unknown unit of a duration": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\ncatch_up = "12 parsecs"',
        "c.toml:4: newsletters[0].catch_up: '12 parsecs' is not a duration",
    ),
    "unknown relay": (
        '[mail.smtp]\nrelay = "sess"',
        "c.toml:2: mail.smtp.relay: 'sess' is not a known value; did you mean `ses`?",
    ),
    "relay without a host": (
        '[mail.smtp]\nuser = "me"\nrelay = "ses"',
        "c.toml:3: mail.smtp.relay: 'ses' has no default host; set host, such as email-smtp.eu-west-1.amazonaws",
    ),
    "relay of a further server without a host": (
        '[mail.smtp]\n[[mail.servers]]\n[[mail.servers]]\nrelay = "mailgun"\nport = 25',
        "c.toml:4: mail.servers[1].relay: 'mailgun' has no default host; set host, such as smtp.mailgun.org or",
    ),
    "unknown key of a further server": (
        '[mail.smtp]\n[[mail.servers]]\nhots = "x"',
        "c.toml:3: mail.servers[0].hots: is not a known key; did you mean `host`?",
    ),
    "weight of zero": (
        '[mail.smtp]\n[[mail.servers]]\nrelay = "sendgrid"\nweight = 0',
        "c.toml:4: mail.servers[0].weight: must be at least 1",
    ),
    "relay that is not a text": ("[mail.smtp]\nrelay = []", "c.toml:2: mail.smtp.relay: must be one of: plain, "),
    "servers that are not a list": (
        "[mail.smtp]\n[mail.servers]\nport = 1",
        "c.toml:2: mail.servers: must be a list of tables; write [[mail.servers]]",
    ),
    "further servers without a first one": (
        '[mail]\n[[mail.servers]]\nhost = "mail.example.com"',
        "c.toml:2: mail.servers: [mail.smtp] is missing; put the first server there",
    ),
    "title with a line break": ('[site]\ntitle = "a\\nb"', "c.toml:2: site.title: 'a\\nb' contains a line break"),
    "more posts required than allowed": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\nmin_posts = 5\nmax_posts = 2',
        "c.toml:4: newsletters[0].min_posts: is more than max_posts (2)",
    ),
    "feed with a reserved name": (
        '[[feeds.extra]]\nname = "category"',
        "c.toml:2: feeds.extra[0].name: 'category' is a folder of other feeds",
    ),
    "two feeds with one name": (
        '[[feeds.extra]]\nname = "a"\n[[feeds.extra]]\nname = "a"',
        "c.toml:4: feeds.extra[1].name: 'a' is the name of an earlier feed",
    ),
    "former name of a category that exists": (
        '[categories.a]\nwas = ["b"]\n[categories.b]\nslug = "x"',
        "c.toml:2: categories.a.was: 'b' is also a category in this file",
    ),
    "former name of two categories": (
        '[categories.a]\nwas = ["x"]\n[categories.b]\nwas = ["x"]',
        "c.toml:4: categories.b.was: 'x' is already a former name of 'a'",
    ),
    "former feed at a page of the web server": (
        '[web]\nurl = "https://example.org/"\n[feeds.moved]\n"/feed.xml" = "atom.xml"\n"/confirm" = "category/x"',
        "c.toml:5: feeds.moved./confirm: the web server has its page /confirm there (web.url)",
    ),
    "former feed below a page of the web server": (
        '[feeds.moved]\n"public/preferences/rss.xml" = "rss.xml"\n[web]\nurl = "https://example.org/"',
        "c.toml:2: feeds.moved.public/preferences/rss.xml: the web server has its page /preferences there (web.url)",
    ),
    "hub that is not a URL": (
        '[feeds]\nhub = "hub.example.com"',
        "c.toml:2: feeds.hub: 'hub.example.com' is not an absolute http(s) URL",
    ),
    "hub URL with a space": ('[feeds]\nhub = "https://hub.example/a b"', "c.toml:2: feeds.hub: "),
    "colour that is not hexadecimal": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[newsletters.theme]\naccent = "red"',
        "c.toml:5: newsletters[0].theme.accent: 'red' is not a colour; write it as #rrggbb, such as #0a5a78",
    ),
    "font with characters that end the attribute": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[newsletters.theme]\nfont = "a;} x"',
        "c.toml:5: newsletters[0].theme.font: 'a;} x' is not a list of fonts; write names with commas",
    ),
    "colour of a category, after one that is valid": (
        '[[newsletters]]\nname = "a"\nschedule = "0 8 * * 1"\n[newsletters.theme.categories]\na = "#000000"\nb = "red"',
        "c.toml:6: newsletters[0].theme.categories.b: 'red' is not a colour; write it as #rrggbb, such as #0a5a78",
    ),
    "name of a newsletter in upper case": (
        '[[newsletters]]\nname = "My letter"\nschedule = "0 8 * * 1"',
        "c.toml:2: newsletters[0].name: 'My letter' cannot be the name of a folder; write lower-case letters",
    ),
    "name of a feed with an underscore": (
        '[[feeds.extra]]\nname = "a_b"',
        "c.toml:2: feeds.extra[0].name: 'a_b' cannot",
    ),
    "text instead of a table": ('[mail]\nbounces = "x"', "c.toml:2: mail.bounces: must be a table"),
    "number instead of an optional text": ("[publish]\nafter = 3", "c.toml:2: publish.after: must be a text in quotes"),
    "text instead of a boolean": (
        '[publish]\nwait_for_site = "yes"',
        "c.toml:2: publish.wait_for_site: must be true or f",
    ),
    "text instead of a list": ('[feeds]\nformats = "atom"', "c.toml:2: feeds.formats: must be a list in brackets"),
    "number in a list of choices": (
        "[feeds]\nformats = [3]",
        "c.toml:2: feeds.formats[0]: must be one of: atom, rss, json",
    ),
    "number above a limit": ("[duplicates]\nsimilarity = 2", "c.toml:2: duplicates.similarity: must be at most 1"),
    "choice with booleans": (
        '[posts]\nbreaks = "x"',
        "c.toml:2: posts.breaks: 'x' is not a known value; use one of: true, false, auto",
    ),
    "another choice with booleans": (
        "[feeds]\narchives = 3",
        "c.toml:2: feeds.archives: must be one of: true, false, auto",
    ),
    "a placeholder like no other": (
        '[posts]\npermalink = "/{qqq}/{slug}"',
        "c.toml:2: posts.permalink: {qqq} is not a known placeholder; use one of: {year}, {month}, ",
    ),
    "a placeholder of no generator": (
        '[posts]\ngenerator = "jekyll"\npermalink = "/:qqq/:title/"',
        "c.toml:3: posts.permalink: :qqq is not a placeholder that is known of Jekyll; use one of: :year, :month, ",
    ),
    "mail server without a name": (
        '[mail.smtp]\nhost = ""',
        "c.toml:2: mail.smtp.host: is empty; write the name of the",
    ),
    "further mail server with a blank name": (
        '[mail.smtp]\n[[mail.servers]]\nhost = " "',
        "c.toml:3: mail.servers[0].host: is empty; write the name of the",
    ),
    "no time between publish runs": ('[publish]\nevery = "0 s"', "c.toml:2: publish.every: must be at least 1 second"),
    "site URL with a query": (
        '[site]\nurl = "https://example.com/?a=b"',
        "c.toml:2: site.url: 'https://example.com/?a=b' contains a user name, a query or a fragment",
    ),
    "tagging entity without a date": ('[site]\nid_authority = "example.com"', "c.toml:2: site.id_authority: "),
    "unknown database": ('[store]\nurl = "mysql://x:secret@db/feeds"', "c.toml:2: store.url: must be the URL of a "),
    "password with a slash": (
        '[store]\nurl = "postgresql://x:se/cret@db/feeds"',
        "c.toml:2: store.url: write @ as %40,",
    ),
    "parameter with a space": ('[store]\nurl = "postgresql:///x?options=-c a"', "c.toml:2: store.url: write @ as %40,"),
}


@pytest.fixture(autouse=True)
def posts(tmp_path):
    (tmp_path / "posts").mkdir()


@pytest.mark.parametrize(("text", "message"), INVALID.values(), ids=INVALID)
def test_a_wrong_config_names_file_line_key_and_remedy(tmp_path, text, message):
    """The error starts with the file, the line and the key, and says how to fix it."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config((tmp_path / "c.toml").relative_to(tmp_path), {})
    assert str(caught.value).startswith(message)


SEVERAL = {
    "a wrong address of a table with two required keys": (
        '[mail.bounces]\naddress = "x"\nmailbox = "y"',
        ["2: mail.bounces.address", "3: mail.bounces.mailbox"],
    ),
    "two newsletters with one name beside other errors": (
        (
            '[[newsletters]]\nname = "a"\n[[newsletters]]\nname = "a"\nschedule = "x"\n[[newsletters]]\nname = "b"\n'
            'schedule = "0 8 * * 1"\nmin_posts = 50'
        ),
        ["1: newsletters[0]", "5: newsletters[1].schedule", "9: newsletters[2].min_posts", "4: newsletters[1].name"],
    ),
    "three items of a list": (
        '[feeds]\nformats = ["x", "atom", "y", 3]',
        [f"2: feeds.formats[{n}]" for n in (0, 2, 3)],
    ),
    "two items of the welcome letter": (
        '[signup]\nwelcome = ["", "a.md", "latest", "b.md"]',
        ["2: signup.welcome[1]", "2: signup.welcome[3]"],
    ),
    "three former paths": (
        '[feeds.moved]\n"/a" = 1\n"/b" = "rss.xml"\n"/c" = 2\n"/d" = []',
        ["2: feeds.moved./a", "4: feeds.moved./c", "5: feeds.moved./d"],
    ),
    "a newsletter with an error, named elsewhere": (
        '[[newsletters]]\nname = "a"\n[signup]\nnewsletters = ["a"]',
        ["1: newsletters[0]"],
    ),
    "a wrong reply address, needed elsewhere": (
        '[mail]\nunsubscribe = "reply"\nreply_to = "x"',
        ["3: mail.reply_to"],
    ),
}


@pytest.mark.parametrize(("text", "places"), SEVERAL.values(), ids=SEVERAL)
def test_each_error_is_reported_once_at_its_place(tmp_path, text, places):
    """Several errors of one kind are all reported, with their positions in the file, and none follows from another."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config((tmp_path / "c.toml").relative_to(tmp_path), {})
    assert [":".join(line.split(":")[1:3]) for line in caught.value.lines] == places


def test_every_pattern_has_a_sentence():
    """No message about a value of the config shows a regular expression."""
    patterns = [meta for meta in _metas(Settings, set()) if meta.pattern]
    assert len(patterns) >= len({"name", "colour", "font"})
    assert [meta.pattern for meta in patterns if not meta.description] == []


def _metas(kind, seen):
    """Yield the `Meta` of each value in a type, and in the tables inside it."""
    if isinstance(kind, type) and issubclass(kind, Table) and kind not in seen:
        seen.add(kind)
        for known in fields(kind):
            yield from _metas(known.type, seen)
    yield from getattr(kind, "__metadata__", ())
    for part in get_args(kind):
        yield from _metas(part, seen)


def test_a_missing_config_says_how_to_make_one(tmp_path):
    """If config.toml does not exist, the error names the command that creates one."""
    with pytest.raises(ConfigError, match=r"config\.toml: does not exist; run `feeds init` to create a site"):
        load_config(tmp_path / "config.toml", {})


def test_a_config_that_is_not_utf8_is_refused(tmp_path):
    """A file with bytes that are not UTF-8 is an error; no other encoding is tried."""
    (tmp_path / "c.toml").write_bytes(b'[site]\ntitle = "\xff"')
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(tmp_path / "c.toml", {})


def test_the_url_of_a_hub_is_not_changed(tmp_path):
    """The hub's URL gets no slash at its end and keeps its query, unlike the URL of a folder."""
    (tmp_path / "c.toml").write_text('[feeds]\nhub = "https://hub.example/push?site=1"', "utf-8")
    assert load_config(tmp_path / "c.toml", {}).settings.feeds.hub == "https://hub.example/push?site=1"


def test_a_former_feed_may_have_the_name_of_a_page_in_feeds_or_without_pages(tmp_path):
    """Paths in `feeds/`, and any path of a site without `web.url`, may have the name of a page."""
    moved = '[feeds.moved]\n"confirm" = "category/x"\n"/blog/confirm/" = "category/x"\n'
    for text in (f'{moved}[web]\nurl = "https://example.org/"', f'{moved}"/confirm/" = "category/x"'):
        (tmp_path / "c.toml").write_text(text, "utf-8")
        assert "confirm" in load_config(tmp_path / "c.toml", {}).settings.feeds.moved


SITES = {
    "_config.yml": "jekyll",
    "hugo.toml": "hugo",
    "docusaurus.config.js": "docusaurus",
    "pelicanconf.py": "pelican",
    "README.md": "auto",
}


@pytest.mark.parametrize(("marker", "generator"), SITES.items())
def test_the_generator_is_recognised_by_the_files_beside_the_config(tmp_path, marker, generator):
    """The site's generator is known by its files, unless the settings name one."""
    (tmp_path / marker).write_text("", "utf-8")
    (tmp_path / "feeds.toml").write_text("", "utf-8")
    assert load_config(tmp_path / "feeds.toml", {}).settings.posts.generator == generator
    named = load_config(tmp_path / "feeds.toml", {"FEEDS_POSTS_GENERATOR": "zola"})
    assert named.settings.posts.generator == "zola"


def test_zolas_own_config_is_recognised_too(tmp_path):
    """Beside feeds.toml, a config.toml with Zola's keys makes the site one of Zola."""
    (tmp_path / "config.toml").write_text('base_url = "https://example.com"\n', "utf-8")
    (tmp_path / "feeds.toml").write_text("", "utf-8")
    assert load_config(tmp_path / "feeds.toml", {}).settings.posts.generator == "zola"


def test_every_key_may_be_left_out(tmp_path):
    """An empty config.toml gives the default settings, with a warning for each recommended key."""
    (tmp_path / "c.toml").write_text("", "utf-8")
    config = load_config(tmp_path / "c.toml", {})
    assert config.settings == Settings()
    assert [w.split(": ")[1] for w in config.warnings] == ["site.url", "site.id_authority"]


def test_the_sample_config_has_no_warning_and_names_every_key():
    """The sample config.toml gives no warnings and mentions every key, since it is the reference."""
    config = load_config(ROOT / "config.toml", {})
    assert config.warnings == ()
    text = (ROOT / "config.toml").read_text("utf-8")
    names = {known.encode_name for table in _tables(Settings) for known in fields(table)}
    assert [name for name in sorted(names) if name not in text] == []


def _tables(table):
    """Yield a table and those inside it."""
    yield table
    for known in fields(table):
        if isinstance(known.type, type) and issubclass(known.type, Table):
            yield from _tables(known.type)


def test_a_variable_overrides_one_value_of_the_file(tmp_path):
    """FEEDS_<TABLE>_<KEY> overrides a key; numbers are read as numbers, and errors name the variable."""
    (tmp_path / "c.toml").write_text('[site]\nurl = "https://example.com/"', "utf-8")
    environ = {
        "FEEDS_SITE_URL": "https://other.example",
        "FEEDS_SITE_TITLE": "2026",
        "FEEDS_FEEDS_ENTRIES": "3",
        "FEEDS_MAIL_SMTP_PORT": "99",
    }
    settings = load_config(tmp_path / "c.toml", environ).settings
    assert (settings.site.url, settings.feeds.entries, settings.mail.smtp.port) == ("https://other.example/", 3, 99)
    with pytest.raises(ConfigError, match=r"^\$FEEDS_FEEDS_ENTRIES: feeds\.entries: must be a whole number"):
        load_config(tmp_path / "c.toml", {"FEEDS_FEEDS_ENTRIES": "many"})


def test_errors_and_warnings_of_overridden_keys_name_the_variable(tmp_path):
    """A key that a variable sets has no line in the file, so the variable is named instead."""
    (tmp_path / "c.toml").write_text("", "utf-8")
    with pytest.raises(ConfigError, match=r"^\$FEEDS_POSTS_FOLDER: posts\.folder: 'x' does not exist"):
        load_config(tmp_path / "c.toml", {"FEEDS_POSTS_FOLDER": "x"})
    warnings = load_config(tmp_path / "c.toml", {"FEEDS_STORE_URL": "sqlite:///feeds.db"}).warnings
    assert any(warning.startswith("$FEEDS_STORE_URL: store.url: is beside this file") for warning in warnings)


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


def test_a_relay_sets_only_the_keys_that_are_not_set(tmp_path):
    """The defaults of a relay fill keys that neither the file nor a variable sets; `plain` has the general defaults."""
    (tmp_path / "c.toml").write_text(SERVERS, "utf-8")
    mail = load_config(tmp_path / "c.toml", {}).settings.mail
    assert _server_keys(mail) == [
        ("smtp-broadcasts.postmarkapp.com", 587, "starttls", 1),
        ("email-smtp.eu-west-1.amazonaws.com", 2587, "tls", 3),
        ("127.0.0.1", 25, "none", 1),
    ]
    mail = load_config(
        tmp_path / "c.toml", {"FEEDS_MAIL_SMTP_RELAY": "sendgrid", "FEEDS_MAIL_SMTP_PORT": "2525"}
    ).settings.mail
    assert _server_keys(mail)[0] == ("smtp.sendgrid.net", 2525, "starttls", 1)


def _server_keys(mail):
    return [(server.host, server.port, server.security, server.weight) for server in mail.all_servers]


def test_each_server_gets_the_password_from_its_own_variable(tmp_path):
    """Servers may share a variable; the `repr` of a config contains no password."""
    (tmp_path / "c.toml").write_text(SERVERS, "utf-8")
    config = load_config(tmp_path / "c.toml", {"FEEDS_SMTP_PASSWORD": "hush", "SES_PASSWORD": "hushhush"})
    assert config.smtp_passwords == ("hush", "hushhush", "hush")
    assert "hush" not in repr(config)


def test_every_relay_name_has_an_entry_in_the_table():
    """Every allowed name is a key of RELAYS, and a relay without a default host has an example of one."""
    assert set(get_args(RelayName)) == set(RELAYS)
    assert [name for name, relay in RELAYS.items() if relay.defaults.get("host") == "" and not relay.host_example] == []


@given(st.sampled_from(["ja", "zh-hans", "PT_br", "de-AT-1996"]))
def test_language_tags_get_their_usual_case(tag):
    """The tag gets the case that RFC 5646 recommends, and keeps it when it is parsed again."""
    parsed = Language.parse(tag)
    assert parsed.lower() == tag.lower().replace("_", "-")
    assert Language.parse(parsed) == parsed


@given(st.integers(0, 10_000), st.sampled_from(["s", "min", "h", "d", "w", "days", "day"]))
def test_a_duration_may_have_a_space_before_its_unit(number, unit):
    """A duration means the same with and without a space between number and unit."""
    assert Duration.parse(f"{number}{unit}") == Duration.parse(f"{number} {unit}")


@given(st.text(max_size=30))
def test_a_value_type_raises_only_value_errors(text):
    """Any invalid text gives a ValueError with a message, never another exception."""
    for kind in (Url, Duration, Language, NamedAddress, Endpoint, Host, MailboxUrl):
        try:
            kind.parse(text)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("table", "key", "value", "expected"),
    [
        ("", "state", "~/state", "{home}/state"),
        ("[posts]", "folder", "~/posts", "{home}/posts"),
        ("[feeds]", "folder", "~/web", "{home}/web"),
        ("[store]", "url", "sqlite:///~/feeds.db", "sqlite:///{home}/feeds.db"),
        ("[secrets]", "file", "~/feeds.key", "{home}/feeds.key"),
        ("[mail]", "sendmail", "~/bin/send", "{home}/bin/send"),
        ('[[mail.dkim]]\nselector = "s"', "key_file", "~/dkim.pem", "{home}/dkim.pem"),
        ('[mail.bounces]\naddress = "b@example.com"', "mailbox", "maildir:~/戻り", "maildir:{home}/戻り"),
        ('[mail.bounces]\naddress = "b@example.com"', "mailbox", "mbox:~/b box", "mbox:{home}/b box"),
        ('[mail.bounces]\naddress = "b@example.com"', "mailbox", "maildir:a/~/b", "maildir:a/~/b"),
    ],
)
def test_a_tilde_at_the_beginning_of_a_path_is_the_home_folder(tmp_path, monkeypatch, table, key, value, expected):
    """Every key that names a file or folder may begin with `~`; a tilde elsewhere stays."""
    home = tmp_path / "home"
    (home / "posts").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "c.toml").write_text(f'{table}\n{key} = "{value}"', "utf-8")
    found = load_config(tmp_path / "c.toml", {}).settings
    for name in re.findall(r"[a-z]+", table.partition("\n")[0]):
        found = getattr(found, name)
    found = found[0] if isinstance(found, tuple) else found
    assert getattr(found, key) == expected.format(home=home)


@pytest.mark.parametrize(
    "text",
    ['state = "~nobody-here/x"', '[store]\nurl = "sqlite:///~nobody-here/x.db"', '[posts]\nfolder = "~nobody-here"'],
)
def test_the_home_folder_of_a_user_who_does_not_exist_is_an_error(tmp_path, text):
    """The error names the line."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=rf"c\.toml:{len(text.splitlines())}: .*user that does not exist"):
        load_config(tmp_path / "c.toml", {})


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (Url, "https://straße.example/ü", "https://xn--strae-oqa.example/%C3%BC/"),
        (Endpoint, "https://hub.νόμος.example/?a=b", "https://hub.xn--xxabhm1c.example/?a=b"),
        (Host, "smtp.straße.example", "smtp.xn--strae-oqa.example"),
        (Host, "::1", "::1"),
        (MailboxUrl, "imaps://me@straße.example/Bounces", "imaps://me@xn--strae-oqa.example/Bounces"),
        (NamedAddress, "Bü <b@straße.example>", "Bü <b@xn--strae-oqa.example>"),
    ],
)
def test_hosts_and_domains_are_put_in_ascii(kind, written, expected):
    """The host of a URL, a server and an address is in ASCII (IDNA 2008), so no library converts it in another way."""
    assert str(kind.parse(written)) == expected


@pytest.mark.parametrize(
    ("file", "text", "generator"),
    [
        ("hugo.yaml", "", "hugo"),
        ("_config.yml", "", "jekyll"),
        ("docusaurus.config.js", "", "docusaurus"),
        ("config.toml", 'base_url = "https://example.com"\n', "zola"),
        ("config.toml", 'baseURL = "https://example.com"\n', "hugo"),
        ("config.toml", "not = toml = at all", "auto"),
        ("notes.txt", "", "auto"),
    ],
)
def test_the_generator_is_found_by_the_files_of_the_site(tmp_path, file, text, generator):
    """The generator is that of the files beside the config file; one that is set, or an unknown one, stays."""
    (tmp_path / file).write_text(text, "utf-8")
    config = tmp_path / "feeds.toml"
    for setting, found in (("", generator), ('generator = "none"', "none"), ('generator = "hexo"', "hexo")):
        config.write_text(f"[posts]\n{setting}\n", "utf-8")
        assert load_config(config, {}).settings.posts.generator == found


def test_replies_as_the_way_to_unsubscribe_need_an_address(tmp_path):
    """`mail.unsubscribe = "reply"` without `mail.reply_to` is an error with its line and the key to set."""
    (tmp_path / "c.toml").write_text('[mail]\nunsubscribe = "reply"\n', "utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path / "c.toml", {})
    assert str(error.value) == (
        f"{tmp_path}/c.toml:2: mail.unsubscribe: needs mail.reply_to, the address that readers write to; set it"
    )
