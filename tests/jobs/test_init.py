"""`feeds init`: the settings of a new site, and what keeps the sample out of it."""

import tomllib

import msgspec
import pytest

from feeds.config import load_config
from feeds.edges.process.system import system_language
from feeds.errors import ConfigError, FeedsError
from feeds.jobs import init
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.send_test import send_test
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER, NOW, ROOT, SampleSite

HUGO = 'baseURL = "https://example.org/"\nlanguageCode = "en-us"\ntitle = "My New Hugo Site"\n'
ZOLA = 'base_url = "https://example.org"\ncompile_sass = true\n[markdown]\n[extra]\n'
REAL = "https://letters.example.museum/"


def created(folder, **options):
    environ = options.pop("environ", {"LANG": "C.UTF-8"})
    site = init.plan_site(folder, init.InitOptions(**options), now=NOW, environ=environ)
    return init.create_site(site), site


def test_only_what_is_known_is_set(tmp_path, monkeypatch):
    """Title, URL, ids, language, time zone and posts folder are set; all else is the default, nothing the sample's."""
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    written, _ = created(
        tmp_path, title='My\n"site"', url="https://Bücher.example/x", environ={"LC_ALL": "pt_BR.UTF-8"}
    )
    assert written == ("feeds.toml", "posts/")
    assert tomllib.loads((tmp_path / "feeds.toml").read_text("utf-8")) == {
        "site": {
            "title": 'My "site"',
            "url": "https://xn--bcher-kva.example/x/",
            "id_authority": "xn--bcher-kva.example,2026",
            "language": "pt",
            "timezone": "Europe/Lisbon",
        },
        "posts": {"folder": "posts"},
        **{name: {} for name in ("tags", "duplicates", "feeds", "publish", "mail")},
    }
    assert load_config(tmp_path / "feeds.toml", {}).warnings == ()


def test_every_key_can_be_found_in_the_new_settings(tmp_path):
    """Every key of the reference is in the file; those that are not set are comments, in the same order."""
    created(tmp_path)
    names = [line.lstrip("# ").partition(" ")[0] for line in (ROOT / "config.toml").read_text("utf-8").splitlines()]
    assert names == [
        line.lstrip("# ").partition(" ")[0] for line in (tmp_path / "feeds.toml").read_text("utf-8").splitlines()
    ]


def test_every_comment_of_the_reference_is_complete(tmp_path):
    """The comment of each key is the reference's, in its column, also with quotation marks in it or in the title."""
    created(tmp_path, title='My "first" # letters', url="https://me.example/")
    found = (tmp_path / "feeds.toml").read_text("utf-8").splitlines()
    for line in (ROOT / "config.toml").read_text("utf-8").splitlines():
        key, _, comment = line.rpartition("  # ")
        if key:
            assert any(one.endswith(f" # {comment}") for one in found), line
    assert {line.rindex(" # ") for line in found if line.startswith(("# by = ", "# content = ", "# order = "))} == {36}
    assert tomllib.loads("\n".join(found))["site"]["title"] == 'My "first" # letters'


def test_what_is_uncommented_is_valid(tmp_path):
    """Each table of the file is valid when all of its comments are removed: it is the sample's."""
    created(tmp_path)
    sample = msgspec.convert(tomllib.loads((ROOT / "config.toml").read_text("utf-8"))["newsletters"], list)
    lines = (tmp_path / "feeds.toml").read_text("utf-8").splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("# [[newsletters]]"))
    table = lines[first : next(n for n, line in enumerate(lines) if n > first and not line)]
    text = "\n".join(
        line.removeprefix("# ") for line in table if not line.startswith(("# sponsor", "# link", "# approve"))
    )
    assert tomllib.loads(text)["newsletters"] == sample


@pytest.mark.parametrize(
    ("files", "generator", "posts", "output"),
    [
        ({"config.toml": HUGO, "content/": ""}, "Hugo", "content", "public"),
        ({"config.toml": HUGO, "content/blog/a.md": "", "content/b.md": ""}, "Hugo", "content/blog", "public"),
        ({"hugo.yaml": "title: x\n"}, "Hugo", "content/posts", "public"),
        ({"config.toml": ZOLA, "content/": ""}, "Zola", "content", "public"),
        ({"_config.yml": "title: x\n", "_posts/": "", "content/": ""}, "Jekyll", "_posts", "_site"),
        ({"_config.yml": "title: x\n", "source/_posts/": ""}, "Hexo", "source/_posts", "public"),
        ({"eleventy.config.js": "", "blog/": ""}, "Eleventy", "blog", "_site"),
        ({"astro.config.mjs": "", "src/content/blog/": ""}, "Astro", "src/content/blog", "dist"),
        ({"docusaurus.config.ts": "", "blog/": ""}, "Docusaurus", "blog", "build"),
        ({"pelicanconf.py": "", "content/": ""}, "Pelican", "content", "output"),
        ({"_posts/": "", "README.md": ""}, None, "_posts", "public"),
        ({}, None, "posts", "public"),
    ],
)
def test_the_site_of_a_generator_is_recognised(tmp_path, files, generator, posts, output):
    """Its posts and its built site are used, its own files stay as they are, and the settings are valid."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text(text, "utf-8")
    _, made = created(tmp_path)
    assert (made.generator or None, made.posts) == (generator, posts)
    settings = load_config(tmp_path / "feeds.toml", {}).settings
    assert (settings.posts.folder, settings.feeds.folder) == (posts, output)
    assert {name: (tmp_path / name).read_text("utf-8") for name in files if not name.endswith("/")} == {
        name: text for name, text in files.items() if not name.endswith("/")
    }


@pytest.mark.parametrize(("text", "name"), [(HUGO, "Hugo"), (ZOLA, "Zola"), ('theme = "x"\n[params]\na = 1\n', "Hugo")])
def test_a_config_file_of_a_generator_is_named(site, text, name):
    """Feeds does not take the config.toml of Hugo or Zola for its own; the error says whose it is and what to do."""
    site.configure(text)
    with pytest.raises(ConfigError, match=f"is the configuration of {name}; `feeds init` writes feeds.toml"):
        load_config(site.folder / "config.toml", {})


@pytest.mark.parametrize("name", ["feeds.toml", "config.toml"])
def test_settings_are_never_replaced(tmp_path, name):
    """A folder that has settings of Feeds already is an error, and nothing is written."""
    (tmp_path / name).write_text(CONFIG, "utf-8")
    for create in (created, init.create_sample):
        with pytest.raises(FeedsError, match=f"{name} already exists"):
            create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "de_AT@euro"}, "de"),
        ({"LANG": "de", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "", "LANG": "POSIX"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environ, language):
    """LC_ALL is stronger than LC_MESSAGES, and this than LANG (POSIX); a locale without a language is English."""
    assert system_language(environ) == language


# The sample -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path):
    """The sample, in an empty folder."""
    init.create_sample(tmp_path)
    (tmp_path / "feeds.toml").rename(tmp_path / "config.toml")
    return SampleSite(tmp_path)


def make_real(site):
    text = (
        site.read("config.toml")
        .replace("https://example.com/", REAL)
        .replace("example.com,2026", "example.museum,2026")
    )
    site.configure(text)


def test_the_sample_never_becomes_part_of_a_real_site(sample):
    """With a real URL, the sample's posts are refused; after they were published, so is what was remembered of them."""
    text = sample.read("config.toml")
    make_real(sample)
    with pytest.raises(FeedsError, match=r"posts/.*\.md: is a post of the sample; delete its posts"):
        sample.publish()
    sample.configure(text)
    sample.publish()
    make_real(sample)
    for post in (sample.folder / "posts").iterdir():
        post.unlink()
    sample.post("mine")
    with pytest.raises(FeedsError, match=r"\.feeds/ and public/ are those of the sample: delete both"):
        sample.publish()


def test_a_site_that_has_grown_from_the_sample_goes_on(sample):
    """A site that has other entries too publishes, whatever it remembers of the sample."""
    sample.post("mine")
    sample.publish()
    make_real(sample)
    assert sample.publish().exit_code == 0


def test_an_edited_sample_post_is_ones_own(sample):
    """A post with the file name of one of the sample's, but another text, is published."""
    make_real(sample)
    for post in (sample.folder / "posts").iterdir():
        post.unlink()
    name = next(iter((ROOT / "posts").iterdir())).stem
    sample.post(name)
    assert sample.publish().counts["public"] == 1


@pytest.mark.parametrize(
    ("mail", "found"),
    [
        ('from = "A <a@letters.museum>"\naddress = "1-2-3 Example, Tokyo"', ["mail.address", "copy_to of weekly"]),
        ('from = "A <a@example.com>"\nreply_to = "b@blog.test"', ["mail.from", "mail.reply_to", "copy_to of weekly"]),
        ('from = "A <a@letters.museum>"\naddress = "9 Lane"', ["copy_to of weekly"]),
    ],
)
def test_a_real_site_sends_nothing_of_the_sample(letter_site, mail, found):
    """Sending stops before the first letter, and `feeds check` has an error for each value, with its key."""
    newsletter = NEWSLETTER.partition("[mail]")[0]
    site = f"{CONFIG.replace('https://example.com/', REAL)}[publish]\nwait_for_site = false\n"
    config = f'{site}{newsletter}[mail]\n{mail}\ntransport = "smtp"\n'
    letter_site.configure(config)
    assert [key for key, _ in send_checks.sample_values(Site(letter_site.config))] == found
    report = letter_site.publish(yes=True)
    assert report.errors[0].startswith(f"weekly 1 is not sent: {found[0]} is ")
    assert "as in the sample: set your own; " in report.errors[0]
    assert report.issues == []


def test_a_test_message_has_nothing_of_the_sample(letter_site):
    """`feeds send --test` of a real site with the sample's addresses reaches no server."""
    site = f"{CONFIG.replace('https://example.com/', REAL)}[publish]\nwait_for_site = false\n{NEWSLETTER}"
    letter_site.configure(f'{site}transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = 1\n')
    with pytest.raises(FeedsError, match=r"the test message is not sent: mail.from is .*, as in the sample"):
        send_test(letter_site.config, "weekly", "ada@example.org", NOW, Context(clock=lambda: NOW))


def test_a_site_that_is_a_test_may_send_the_samples_values(letter_site):
    """At a reserved name, or with letters in the outbox, the sample's values are in order."""
    letter_site.configure(
        letter_site.read("config.toml") + 'transport = "smtp"\n[mail.smtp]\nhost = "relay.example.museum"\n'
    )
    assert send_checks.sample_values(Site(letter_site.config)) == []
    letter_site.configure(CONFIG.replace("https://example.com/", REAL) + NEWSLETTER)
    assert letter_site.publish(*[]).issues[0].state == "sent"
