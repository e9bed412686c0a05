"""The command line: arguments, output and exit codes."""

import contextlib
import json
import os
import pty
import socket
import subprocess
import sys

import pytest

from tests.conftest import CONFIG, NEWSLETTER, SampleSite

POST_FIELDS = [
    *("path", "status", "reason", "duplicate_of", "id", "url", "title", "published", "updated", "lang", "authors"),
    *("categories", "tags", "excerpt", "reading_minutes", "warnings"),
]


def test_the_sample_publishes_at_once(tmp_path, feeds):
    """`feeds init --sample` creates a site that publishes feeds, pages and a letter without an edit."""
    made = feeds("init", "--sample", "mine")
    assert made.stdout.splitlines()[-1] == "Then try: feeds publish --dry-run --config mine/feeds.toml"
    done = feeds("publish", "--config", "mine/feeds.toml", "--now", "2026-11-23")
    assert done.returncode == 0, done.stderr
    assert "weekly 1: 3 posts to 1 recipient, sent, in .feeds/outbox/weekly/1/" in done.stdout
    assert "title>Sample Letters</title" in (tmp_path / "mine/public/feeds/atom.xml").read_text("utf-8")
    assert feeds("init", "--sample", "mine").returncode == 1


def test_a_site_of_ones_own_publishes_at_once(tmp_path, feeds):
    """`feeds init` creates settings with which the posts of the folder are published; ids use the given URL."""
    made = feeds("init", "--url", "https://me.example", "--title", 'My "site"')
    assert made.stdout == "wrote feeds.toml\nwrote posts\nThen try: feeds publish --dry-run\n"
    SampleSite(tmp_path).post("first")
    done = feeds("publish")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("posts: 1 public\n")
    feed = (tmp_path / "public/feeds/atom.xml").read_text("utf-8")
    assert 'title>My "site"</title' in feed
    assert "tag:me.example,2026:" in feed


#: Generator -> the files of a site, the address of its post as it makes it, its folder of the built site, its old feed.
GENERATORS = {
    "Jekyll": (
        {"_config.yml": "title: Log\nurl: https://me.example\nbaseurl: /log\nplugins: [jekyll-feed]\n"},
        ("_posts/2025-01-02-a-ship.md", "/2025/01/02/a-ship.html", "_site", "feed.xml", "atom"),
    ),
    "Hugo": (
        {"hugo.toml": "baseURL = 'https://me.example/log/'\ntitle = 'Log'\n[permalinks]\nposts = '/:year/:slug/'\n"},
        ("content/posts/a-ship.md", "/2025/a-ship/", "public", "posts/index.xml", "rss"),
    ),
    "Zola": (
        {"config.toml": "base_url = 'https://me.example/log'\ntitle = 'Log'\ngenerate_feeds = true\n"},
        ("content/blog/2025-01-02_a-ship.md", "/blog/a-ship/", "public", "atom.xml", "atom"),
    ),
    "Docusaurus": (
        {"docusaurus.config.js": "export default {title: 'Log', url: 'https://me.example', baseUrl: '/log/'}"},
        ("blog/2025-01-02-a-ship.md", "/blog/2025/01/02/a-ship", "build", "blog/atom.xml", "atom"),
    ),
}
_OLD = {
    "atom": '<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><id>x</id><entry><title>A ship</title>'
    '<id>urn:old:1</id><link href="{url}"/><updated>2025-01-02T00:00:00Z</updated></entry></feed>',
    "rss": '<rss version="2.0"><channel><title>Log</title><item><title>A ship</title><link>{url}</link>'
    "<guid>urn:old:1</guid><pubDate>Thu, 02 Jan 2025 00:00:00 GMT</pubDate></item></channel></rss>",
}


@pytest.mark.parametrize("generator", GENERATORS)
def test_the_site_of_a_generator_has_feeds_after_three_commands(tmp_path, feeds, generator):
    """`init`, `ids adopt` and `publish` as printed give feeds with the page's address and words, and the old id."""
    files, (post, path, built, feed, kind) = GENERATORS[generator]
    url = f"https://me.example/log{path}"
    page = path.strip("/") + ("" if path.endswith(".html") else "/index.html")
    text = "---\ntitle: A ship\ndate: 2025-01-02\n---\nA ship came in with salt {{< x >}} and oranges for the town.\n"
    files = files | {
        post: text,
        f"{built}/{page}": "<article><p>A ship came in with salt and <b>many</b> oranges for the town.</p></article>",
        f"{built}/{feed}": _OLD[kind].format(url=url),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    made = feeds("init")
    head, *lines = made.stdout.splitlines()
    assert head == f"{tmp_path.name} is a site of {generator}. Its settings, and where they are from:"
    assert [line.split()[0] for line in lines if line.startswith("  site.")] == [
        f"site.{key}" for key in ("title", "url", "id_authority", "language", "timezone")
    ]
    commands = lines[lines.index("Next:") + 1 :]
    assert commands == [f"  feeds ids adopt {built}/{feed}", "  feeds publish --dry-run", "  feeds publish"]
    for command in commands:
        done = feeds(*command.split()[1:])
        assert (done.returncode, done.stderr) == (0, "")
    for place in (f"feeds/{'rss' if kind == 'rss' else 'atom'}.xml", feed):
        written = (tmp_path / built / place).read_text("utf-8")
        assert "urn:old:1" in written
        assert url in written
        assert "with salt and &lt;b&gt;many&lt;/b&gt; oranges" in written


def test_nothing_is_written_into_a_site_without_consent(tmp_path):
    """At a terminal `init` asks before it writes into an existing site, unless `--yes` is given; in a new one never."""
    (tmp_path / "_config.yml").write_text("title: Log\n", "utf-8")
    shown, code = _answer(tmp_path, "n\n", "init", "--no-sample")
    assert (code, "Write feeds.toml? [y/N]" in shown, "nothing was written" in shown) == (1, True, True)
    assert [file.name for file in tmp_path.iterdir()] == ["_config.yml"]
    (tmp_path / "new").mkdir()
    (tmp_path / "new/_config.yml").write_text("title: Log\n", "utf-8")
    shown, code = _answer(tmp_path, "", "init", "--yes", "new")
    assert (code, "[y/N]" in shown) == (0, False)
    shown, code = _answer(tmp_path, "y\n", "init")
    assert (code, "wrote feeds.toml" in shown) == (0, True)
    shown, code = _answer(tmp_path, "", "init", "other")
    assert (code, "[y/N]" in shown) == (0, False)


def _answer(folder, answer, *words):
    """Return what a command writes to a terminal at which *answer* is typed, and its exit code."""
    parent, child = pty.openpty()
    os.write(parent, answer.encode())
    process = subprocess.Popen(
        [sys.executable, "-m", "feeds", *words], stdin=child, stdout=child, stderr=child, cwd=folder
    )
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side has hung up
        while more := os.read(parent, 10_000):
            shown += more
    os.close(parent)
    return shown.decode(), process.wait(timeout=60)


def test_the_config_file_is_found(site, feeds):
    """It is the one of --config, else of FEEDS_CONFIG, else feeds.toml, else config.toml."""
    for name in ("option", "variable", "feeds"):
        (site.folder / f"{name}.toml").write_text(CONFIG.replace('"Test"', f'"Title of {name}"'), "utf-8")

    def title(*words, **environ):
        feeds("publish", *words, **environ)
        return site.read("public/feeds/atom.xml").partition("</title>")[0].rpartition(">")[2]

    assert title("--config", "option.toml", FEEDS_CONFIG="variable.toml") == "Title of option"
    assert title(FEEDS_CONFIG="variable.toml") == "Title of variable"
    assert title() == "Title of feeds"
    (site.folder / "feeds.toml").unlink()
    assert title() == "Test"
    (site.folder / "config.toml").unlink()
    assert feeds("posts").stderr.startswith("error: feeds.toml: does not exist; run `feeds init`")


def test_all_errors_are_reported_at_once(site, feeds):
    """Every invalid key and value is one error, in one run; the error of a removed value has no echo."""
    site.configure(
        '[site]\nurl = "nope"\nlangage = "en"\n[categories."A"]\nsluh = "x"\n[categories."B"]\nslug = 3\n'
        '[posts]\npermalink = "/x/"\n[feeds]\nformats = ["atmo"]\n[[newsletters]]\nname = "a"\nschedule = "x"\n'
    )
    lines = [line.split(": ")[:3] for line in feeds("publish").stderr.splitlines()]
    assert lines == [
        ["error", f"config.toml:{number}", key]
        for number, key in [
            (2, "site.url"),
            (3, "site.langage"),
            (5, "categories.A.sluh"),
            (7, "categories.B.slug"),
            (11, "feeds.formats[0]"),
            (14, "newsletters[0].schedule"),
            (9, "posts.permalink"),
        ]
    ]


def test_known_warnings_are_counted(site, feeds):
    """A warning is printed once; the next run counts it, also on the fast path, and prints one that has changed."""
    site.post("a", catagories="[x]")
    site.post("b", "Something else.\n", descripton="x")
    assert "posts/a.md:4: catagories" in feeds("publish").stderr
    for words in (("publish",), ("publish", "--dry-run"), ("publish",)):
        assert feeds(*words).stderr == "warning: 2 warnings are as before; `feeds check` prints all\n"
    site.post("b", "Something else.\n", desciption="x")
    lines = feeds("publish").stderr.splitlines()
    assert lines[0].startswith("warning: posts/b.md:4: desciption: is not a known key")
    assert lines[1:] == ["warning: 1 warning is as before; `feeds check` prints all"]
    assert len(feeds("publish", "--no-cache").stderr.splitlines()) == 2
    assert feeds("check").stdout.count("is not a known key") == 2


def test_quiet_prints_errors_and_what_was_sent(letter_site, feeds):
    """`feeds publish --quiet` prints the issues that were sent and errors, and nothing if there is neither."""
    letter_site.post("odd", catagories="[x]")
    done = feeds("publish", "--quiet", "--now", "2026-11-23T12:00Z")
    assert (done.stdout, done.stderr) == ("weekly 1: 2 posts to 1 recipient, sent, in .feeds/outbox/weekly/1/\n", "")
    for _ in range(2):
        done = feeds("publish", "--quiet", "--now", "2026-11-23T12:00Z")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "catagories" in feeds("publish", "--now", "2026-11-23T12:00Z", "--no-cache").stderr
    letter_site.post("broken", title=None)
    done = feeds("publish", "--quiet", "--now", "2026-11-23T12:00Z")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert done.stderr.startswith("error: posts/broken.md:1: title")


def test_a_warning_of_a_quiet_run_is_printed_by_the_next_other_one(site, feeds):
    """A warning that `--quiet` kept back is not known yet, even if nothing has changed since; quiet runs stay fast."""
    site.post("odd", catagories="[x]")
    for _ in range(2):
        assert feeds("publish", "--quiet").stderr == ""
    assert "posts/odd.md:4: catagories" in feeds("publish").stderr
    assert feeds("publish").stderr == "warning: 1 warning is as before; `feeds check` prints all\n"
    site.post("odder", "Other words.\n", descripton="x")
    feeds("publish", "--quiet")
    lines = feeds("publish").stderr.splitlines()
    assert lines[0].startswith("warning: posts/odder.md:4: descripton")
    assert lines[1:] == ["warning: 1 warning is as before; `feeds check` prints all"]


def test_posts_are_listed_newest_first_with_their_address(site, feeds):
    """`feeds posts` lists what cannot be read first, then the newest posts, each with its address."""
    site.post("old", date="2026-11-01")
    site.post("new", date="2026-11-20")
    site.post("broken", title=None)
    rows = [line.split("\t") for line in feeds("posts").stdout.splitlines()[:3]]
    assert [row[2] for row in rows] == ["broken.md", "new.md", "old.md"]
    assert [row[4] for row in rows] == [
        "",
        *(f"https://example.com/2026/11/{d}/{n}/" for d, n in ((20, "new"), ("01", "old"))),
    ]


def test_ids_that_were_never_exported_are_no_error(site, feeds):
    """`feeds ids import` without a file says so and exits with 0: a machine that keeps no files runs first."""
    done = feeds("ids", "import", "feeds-ids.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("feeds-ids.jsonl does not exist yet, so nothing was imported")


def test_a_port_in_use_is_one_line(site, feeds):
    """`feeds preview` at a port that another program uses is an error of one line that names the option."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = feeds("preview", "--port", str(port))
    assert (done.returncode, done.stderr) == (
        1,
        f"error: port {port} cannot be used: Address already in use; choose another one with --port\n",
    )


def test_without_utf8_a_message_says_what_to_set(site, feeds):
    """If Python reads file names in another encoding, the command ends with one line that names the variable."""
    done = feeds("posts", PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert "set PYTHONUTF8=1" in done.stderr


def test_publish_tells_a_summary_as_json(letter_site, feeds):
    """`feeds publish --json` prints one object with the documented fields."""
    done = feeds("publish", "--json", "--now", "2026-11-23T12:00Z")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("seconds") > 0
    assert found == {
        "posts": {"public": 1, "draft": 0, "future": 0, "expired": 0, "duplicate": 0, "rejected": 0},
        "feeds": {"written": 6, "unchanged": 0},
        "issues": [{"newsletter": "weekly", "number": 1, "posts": 1, "recipients": 1, "state": "sent"}],
        "newsletters": [
            {
                "newsletter": "weekly",
                "next_slot": "2026-11-30T08:00:00+00:00",
                "posts_waiting": 0,
                "missed_slot": None,
                "reason": "",
            }
        ],
    }


def test_posts_tells_of_every_file_as_json(site, feeds):
    """`feeds posts --json` prints the documented fields for every file; the exit code is 1 if one was rejected."""
    site.post("a", categories="[X]", tags="[t]", reading_time=8, updated="2026-11-21", lang="ja")
    site.post("b", draft="true")
    (site.folder / "posts" / "c.md").write_text("no front matter", "utf-8")
    done = feeds("posts", "--json", "--now", "2026-11-23")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [list(f) for f in found] == [POST_FIELDS] * 3
    assert [f["status"] for f in found] == ["public", "draft", "rejected"]
    assert found[0] | {"warnings": []} == {
        "path": "a.md",
        "status": "public",
        "reason": "",
        "duplicate_of": None,
        "id": "tag:example.com,2026:2026-11-20/a.md",
        "url": "https://example.com/2026/11/20/a/",
        "title": "a",
        "published": "2026-11-20T00:00:00+00:00",
        "updated": "2026-11-21T00:00:00+00:00",
        "lang": "ja",
        "authors": [],
        "categories": ["X"],
        "tags": ["t"],
        "excerpt": "Some words of a post.",
        "reading_minutes": 8,
        "warnings": [],
    }
    assert found[0]["warnings"] == ["a.md:6: reading_time: says 8 min, the text takes 1; the post's own is used"]
    assert found[2]["reason"].startswith("c.md:1: no front matter")


def test_posts_tells_people_why_a_post_is_not_public(site, feeds):
    """`feeds posts` prints a line for each file, then the counts."""
    site.post("a", "The same words. " * 20)
    site.post("bb", "The same words. " * 20, title="a")
    done = feeds("posts", "--now", "2026-11-23")
    assert "duplicate\t2026-11-20\tbb.md\tthe same text as a.md" in done.stdout
    assert done.stdout.splitlines()[-1] == "posts: 1 public, 1 duplicate"


def test_issues_and_subscribers_are_listed(letter_site, feeds):
    """`feeds issues` lists issues as a table and as JSON."""
    assert (
        feeds("subscribers", "add", "ada@example.org", "--lang", "ja").stdout == "ada@example.org is active: weekly\n"
    )
    feeds("publish", "--now", "2026-11-23T12:00Z")
    assert json.loads(feeds("issues", "--json").stdout) == {
        "newsletter": "weekly",
        "number": 1,
        "slot": "2026-11-23T08:00:00+00:00",
        "subject": "first",
        "posts": 1,
        "recipients": 2,
        "sent": 2,
        "state": "sent",
        "retracted_at": None,
        "retraction": "",
        "corrects": None,
    }
    assert "weekly\t1\t2026-11-23 08:00 UTC\tsent\t2/2\tfirst" in feeds("issues").stdout
    assert feeds("subscribers", "remove", "ada@example.org").returncode == 0
    assert "ada@example.org\tunsubscribed\tja\tweekly" in feeds("subscribers", "list").stdout
    found = json.loads(feeds("subscribers", "list", "--json").stdout)
    assert (found["email"], found["status"], found["lang"]) == ("ada@example.org", "unsubscribed", "ja")
    again = feeds("subscribers", "add", "ada@example.org")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("error: ada@example.org is unsubscribed")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("publish", "--now", "someday"), 2, "Invalid value for --now: 'someday' is not a date"),
        (("publsh",), 2, "No such command"),
        (("publish", "--config", "nowhere.toml"), 1, "error: nowhere.toml: does not exist"),
        (
            ("publish", "--config", "broken.toml"),
            1,
            "error: broken.toml:1: sit: is not a known key; did you mean `site`?",
        ),
    ],
)
def test_exit_codes_tell_mending_from_wrong_usage(site, feeds, words, code, said):
    """The exit code is 1 for an error in the files and 2 for wrong arguments."""
    (site.folder / "broken.toml").write_text("[sit]\n", "utf-8")
    done = feeds(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_site_that_is_busy_asks_to_come_back(site, feeds):
    """While another publish runs, the exit code is 3 and nothing is done."""
    import fcntl

    number = os.open(site.folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    done = feeds("publish")
    os.close(number)
    assert (done.returncode, done.stdout) == (3, "")
    assert "another publish is running" in done.stderr


def test_a_rejected_post_is_exit_1_and_the_rest_is_published(site, feeds):
    """Warnings and errors are printed to standard error, a line each."""
    site.post("good")
    (site.folder / "posts" / "bad.md").write_text("---\ntitle: Bad\n---\n", "utf-8")
    done = feeds("publish", "--now", "2026-11-23")
    assert done.returncode == 1
    assert done.stderr == (
        "error: posts/bad.md:1: date: is missing from the front matter and from the names of the file and its folder\n"
    )
    assert "4 written, 0 unchanged, in public/" in done.stdout


def test_a_dry_run_names_every_file_and_writes_none(letter_site, feeds):
    """A dry run prints that nothing was written or sent."""
    done = feeds("publish", "--dry-run", "--now", "2026-11-23T12:00Z")
    assert "  public/feeds/atom.xml\n" in done.stdout
    assert "weekly 1: 1 post to 1 recipient, would be sent" in done.stdout
    assert "(dry run: nothing was written or sent)" in done.stdout
    assert not (letter_site.folder / "public").exists()


def test_feeds_only_sends_nothing(letter_site, feeds):
    """With `--feeds-only` no letter is composed; the next run without it sends them."""
    assert feeds("publish", "--feeds-only", "--now", "2026-11-23T12:00Z").returncode == 0
    assert not (letter_site.folder / ".feeds/outbox").exists()


def test_the_config_may_be_named_by_a_variable(tmp_path, site, feeds):
    """FEEDS_CONFIG names the config file."""
    (site.folder / "config.toml").rename(tmp_path / "other.toml")
    site.post("a")
    assert feeds("posts", FEEDS_CONFIG="other.toml").returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error(site):
    """A closed pipe, as in `feeds posts | head -1`, is not an error."""
    for n in range(2000):
        site.post(f"{n:04}")
    line = f"{sys.executable} -m feeds posts | head -1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, cwd=site.folder)
    assert done.stderr == ""


def test_a_person_at_a_terminal_sees_a_table(site):
    """On a terminal a table is printed, and control characters in names are escaped."""
    site.post("a", title='"evil \\x1b[31m"')
    shown = _at_a_terminal(site, "posts", "--now", "2026-11-23")
    assert "status" in shown
    assert "title or reason" in shown
    assert "\x1b[31m" not in shown


def _at_a_terminal(site, *words):
    """Return everything that a command writes to a terminal."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "feeds", *words]
    environ = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=child, stderr=child, cwd=site.folder, env=environ)
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side has hung up
        while more := os.read(parent, 10_000):
            shown += more
    os.close(parent)
    assert process.wait(timeout=60) == 0
    return shown.decode()


def test_a_new_site_needs_nothing_but_posts(tmp_path, feeds):
    """A config of two lines is enough to publish feeds."""
    (tmp_path / "posts").mkdir()
    (tmp_path / "config.toml").write_text(CONFIG + NEWSLETTER, "utf-8")
    done = feeds("publish", "--now", "2026-11-23")
    assert done.returncode == 0
    assert "posts: 0 public" in done.stdout


def test_of_thousands_of_warnings_the_first_are_told(site, feeds):
    """Of many new warnings `publish` prints the first; `posts` prints all."""
    for n in range(30):
        site.post(f"p{n:02}", f"{{{{< video{n} >}}}}")
    for option in ("--yes", "--no-cache"):
        lines = feeds("publish", "--feeds-only", option).stderr.splitlines()
        assert len(lines) == 20
        assert lines[0].startswith("warning: posts/p00.md:6: {{< video0 >}} cannot be rendered")
        assert lines[-1] == "warning: and 11 more like these; `feeds posts` prints all of them"
    assert len(feeds("posts").stderr.splitlines()) == 30


def test_a_clock_that_is_not_a_time_is_an_error_of_one_line(feeds):
    """If FEEDS_CLOCK is not a time, the command ends with exit code 1 and says what to write."""
    done = feeds("publish", FEEDS_CLOCK="tomorrow")
    assert done.returncode == 1
    assert done.stderr == "error: FEEDS_CLOCK: 'tomorrow' is not a time; write such as 2026-11-23T12:00+00:00\n"
