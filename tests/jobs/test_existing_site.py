"""`feeds init` in the site of a generator: what is taken from its settings, and where the old feeds are."""

import pytest

from feeds.config import load_config
from feeds.core.generators.site_files import Found
from feeds.errors import FeedsError
from feeds.jobs import init
from tests.conftest import NOW

POST = "---\ntitle: A ship\ndate: 2025-01-02\n---\nA ship came in.\n"
ATOM = '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
RSS = '<?xml version="1.0"?>\n<rss version="2.0">'
#: Keys that each site has, or that depend on the machine.
USUAL = {"site.id_authority", "site.timezone", "site.language", "posts.folder", "feeds.folder"}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def planned(folder, **options):
    return init.plan_site(folder, init.InitOptions(**options), now=NOW, environ={"LANG": "pt_BR.UTF-8"})


def taken(site, *keys):
    """Return the values of *keys*; without any, of all that are not usual."""
    return {key: found.value for key, found in site.values.items() if (key in keys if keys else key not in USUAL)}


JEKYLL = {
    "_config.yml": "title: A & B\nurl: https://a.example\nbaseurl: /log\ntimezone: Asia/Tokyo\nlang: ja\n"
    "author: {name: Ada, email: a@a.example}\npermalink: /:categories/:title/\nplugins: [jekyll-feed]\n",
    "_posts/2025-01-02-a.md": POST,
    "_data/authors.yml": "ada: {name: Ada}\n",
}
HUGO = {
    "config/_default/hugo.toml": "BaseURL = 'http://localhost:1313/'\ntitle = 'Log'\nlanguageCode = 'de-at'\n",
    "config/_default/params.yaml": "author: {name: Ada}\nmainSections: [news]\n",
    "config/_default/permalinks.toml": "[page]\nnews = '/:year/:slug/'\n",
    "config/production/hugo.toml": "baseURL = 'https://a.example/log/'\n",
    "content/docs/a.md": "x",
    "content/docs/b.md": "x",
    "content/news/a.md": POST,
}
ZOLA = {
    "config.toml": "base_url = 'https://a.example'\ndefault_language = 'fr'\nauthor = 'Ada'\ngenerate_feeds = true\n"
    "feed_filenames = ['feed.xml', 'all.json', 'rss.xml']\noutput_dir = 'docs'\n[extra]\n",
    "content/_index.md": "+++\ntitle = 'From the page'\n+++\n",
    "content/blog/_index.md": "+++\ngenerate_feeds = true\n+++\n",
    "content/blog/a.md": POST,
    "templates/feed.xml": "<rss>",
}
DOCUSAURUS = {
    "docusaurus.config.ts": "const config: Config = { title: 'Log', url: 'https://a.example', baseUrl: '/x/',\n"
    " trailingSlash: true, i18n: {defaultLocale: 'fr'}, presets: [[require.resolve('y'), ({ docs: false,\n"
    " blog: { path: 'news', routeBasePath: '/', authorsMapPath: 'people.yml', feedOptions: {type: 'all'} } }) ]] };\n",
    "news/2025-01-02-a.md": POST,
    "news/people.yml": "ada: {name: Ada}\n",
}
HEXO = {
    "_config.yml": "title: Log\nurl: https://a.example/log\nlanguage: [zh-TW, en]\ntimezone: Asia/Taipei\nauthor: Ada\n"
    "public_dir: out\npermalink: :year/:title.html\npretty_urls: {trailing_html: false}\nfeed: {type: [atom, rss2]}\n",
    "package.json": '{"dependencies": {"hexo": "*", "hexo-generator-feed": "*"}}',
    "source/_posts/a.md": POST,
}
ELEVENTY = {
    ".eleventy.js": "module.exports = (c) => { return { dir: { input: 'src', data: '../data', output: 'dist' } } }\n",
    "data/site.json": '{"name": "Log", "url": "https://a.example", "lang": "nl", "author": "Ada"}',
    "src/posts/a.md": POST,
    "src/posts/posts.11tydata.js": 'module.exports = {\n permalink: \'/n/{{ page.date | date: "%Y" }}/'
    "{{ page.fileSlug }}/' };",
}
ASTRO = {
    "astro.config.mjs": "export default defineConfig({\n site: 'https://a.example', trailingSlash: 'never',"
    "outDir: './out' })",
    "src/consts.ts": "export const SITE_TITLE = 'Log';",
    "src/content/blog/a.md": POST,
    "src/pages/articles/[...slug].astro": "",
    "src/pages/rss.xml.js": "import rss from '@astrojs/rss';",
    "src/layouts/Base.astro": "<html class='a' lang='sv'>",
}
PELICAN = {
    "pelicanconf.py": "import os\nSITENAME = 'Log'\nSITEURL = ''\nAUTHOR = 'Ada'\nHOST = 'a.example'\n"
    "DEFAULT_LANG = 'it'\n"
    "TIMEZONE = 'Europe/Rome'\nOUTPUT_PATH = os.environ['X']\nARTICLE_URL = '{date:%Y}/{slug}/index.html'\n",
    "publishconf.py": "from pelicanconf import *\nSITEURL = 'https://' + HOST\nFEED_ALL_RSS = 'rss.xml'\n",
    "content/a.md": POST,
}


def _eleventy(url, prefix):
    """A site of Eleventy with a URL in its data and a prefix of links in its settings."""
    return {
        "eleventy.config.js": f"export default {{ pathPrefix: '{prefix}' }}",
        "_data/metadata.json": f'{{"url": "{url}"}}',
        "posts/a.md": POST,
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            JEKYLL,
            {"site.title": "A & B", "site.url": "https://a.example/log/", "site.author": "Ada", "site.language": "ja"}
            | {"site.timezone": "Asia/Tokyo", "posts.folder": "_posts", "posts.permalink": "/:categories/:title/"}
            | {
                "posts.authors": "_data/authors.yml",
                "feeds.folder": "_site",
                "feeds.moved": {"/feed.xml": "feeds/atom.xml"},
            },
        ),
        (
            HUGO,
            {"site.title": "Log", "site.url": "https://a.example/log/", "site.author": "Ada", "site.language": "de-AT"}
            | {"posts.folder": "content/news", "posts.permalink": "/:year/:slug/"}
            | {"feeds.moved": {"/news/index.xml": "feeds/rss.xml", "/index.xml": "feeds/rss.xml"}},
        ),
        (
            ZOLA,
            {
                "site.title": "From the page",
                "site.url": "https://a.example/",
                "site.author": "Ada",
                "site.language": "fr",
            }
            | {"posts.folder": "content/blog", "posts.permalink": "/{path}/", "feeds.folder": "docs"}
            | {
                "feeds.moved": {
                    f"/{path}": "feeds/rss.xml" for path in ("blog/feed.xml", "blog/rss.xml", "feed.xml", "rss.xml")
                }
            },
        ),
        (
            DOCUSAURUS,
            {"site.title": "Log", "site.url": "https://a.example/x/", "site.language": "fr", "posts.folder": "news"}
            | {"posts.permalink": "/{path}/", "posts.authors": "news/people.yml", "feeds.folder": "build"}
            | {"feeds.moved": {f"/{name}": f"feeds/{name}" for name in ("rss.xml", "atom.xml", "feed.json")}},
        ),
        (
            HEXO,
            {"site.title": "Log", "site.url": "https://a.example/log/", "site.author": "Ada", "site.language": "zh-TW"}
            | {"site.timezone": "Asia/Taipei", "posts.folder": "source/_posts", "posts.permalink": ":year/:title"}
            | {"feeds.folder": "out", "feeds.moved": {"/atom.xml": "feeds/atom.xml", "/rss2.xml": "feeds/rss.xml"}},
        ),
        (
            ELEVENTY,
            {"site.title": "Log", "site.url": "https://a.example/", "site.author": "Ada", "site.language": "nl"}
            | {"posts.folder": "src/posts", "posts.permalink": "/n/{year}/{name}/", "feeds.folder": "dist"},
        ),
        (
            ASTRO,
            {"site.title": "Log", "site.url": "https://a.example/", "site.language": "sv", "feeds.folder": "out"}
            | {"posts.folder": "src/content/blog", "posts.permalink": "/articles/{path}"}
            | {"feeds.moved": {"/rss.xml": "feeds/rss.xml"}},
        ),
        (
            PELICAN,
            {"site.title": "Log", "site.url": "https://a.example/", "site.author": "Ada", "site.language": "it"}
            | {"site.timezone": "Europe/Rome", "posts.folder": "content", "posts.permalink": "/{year}/{title}/"}
            | {"feeds.folder": "output"}
            | {"feeds.moved": {"/feeds/all.atom.xml": "feeds/atom.xml", "/rss.xml": "feeds/rss.xml"}},
        ),
        (
            {"posts/a.md": POST, "CNAME": "a.example\n"},
            {"site.url": "https://a.example/", "site.language": "pt", "posts.folder": "posts"},
        ),
    ],
    ids=["jekyll", "hugo", "zola", "docusaurus", "hexo", "eleventy", "astro", "pelican", "none"],
)
def test_the_settings_of_a_generator_are_taken(tmp_path, monkeypatch, files, expected):
    """Every value that the site's own files say is set, the zone and the language else by the system, and is valid."""
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    write(tmp_path, files)
    site = planned(tmp_path)
    usual = {"site.timezone": "Europe/Lisbon", "site.id_authority": "a.example,2026"}
    assert {key: found.value for key, found in site.values.items()} == usual | expected
    assert site.problems == ()
    init.create_site(site)
    config = load_config(tmp_path / "feeds.toml", {})
    assert (config.settings.posts.folder, config.warnings) == (expected["posts.folder"], ())
    assert {name: (tmp_path / name).read_text("utf-8") for name in files} == files


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # Front matter defaults, collections, folders
        ({"_config.yml": "", "_posts/a.md": POST}, {"posts.folder": "_posts", "posts.permalink": "date"}),
        (
            {"_config.yml": "source: src\ndefaults:\n- scope: {path: '', type: posts}\n  values: {permalink: pretty}\n"}
            | {"src/_posts/a.md": POST},
            {"posts.folder": "src/_posts", "posts.permalink": "pretty"},
        ),
        (
            {"_config.yml": "permalink: pretty\ncollections: {talks: {output: true}}\n", "_talks/a.md": POST},
            {"posts.folder": "_talks", "posts.permalink": "/:collection/:path/"},
        ),
        (
            {
                "_config.yml": "collections_dir: c\ncollections:\n  posts: {permalink: '/p/:title'}\n",
                "c/_posts/a.md": POST,
            },
            {"posts.folder": "c/_posts", "posts.permalink": "/p/:title"},
        ),
        (
            {"_config.yml": "x: 1\n", "Gemfile": "source 'x'\n", "source/_posts/a.md": POST},  # Octopress
            {"posts.folder": "source/_posts", "posts.permalink": "date"},
        ),
        (  # the folders above `_posts` are categories
            {"_config.yml": "x: 1\n", "blog/_posts/2025-01-02-a.md": POST, "coll/_posts/2025-01-02-b.md": POST}
            | {"about.md": "x"},
            {"posts.folder": ".", "posts.only_in": "_posts", "posts.permalink": "date"},
        ),
        (
            {"_config.yml": "source: src\n", "src/blog/_posts/2025-01-02-a.md": POST, "src/_posts/b.md": POST},
            {"posts.folder": "src", "posts.only_in": "_posts", "posts.permalink": "date"},
        ),
        (
            {"_config.yml": "x: 1\n", "_old/_posts/2025-01-02-a.md": POST, "_posts/2025/b.md": POST},
            {"posts.folder": "_posts", "posts.permalink": "date"},
        ),
        # Dates in file names, languages, several sections
        (
            {"config.yaml": "baseURL: https://a.example\nfrontmatter: {date: [':filename', ':default']}\n"}
            | {"content/blog/2025-01-02-a.md": POST},
            {"posts.folder": "content/blog", "posts.date_from": "file_name", "posts.permalink": "/{path}/"},
        ),
        (
            {"hugo.toml": "[frontmatter]\ndate = ':filename'\n[permalinks]\nblog = '/:year/:slugorfilename/'\n"}
            | {"content/blog/2025-01-02-a.md": POST},
            {"posts.folder": "content/blog", "posts.date_from": "file_name"}
            | {"posts.permalink": "/:year/:slugorfilename/"},
        ),
        (
            {"hugo.toml": "[frontmatter]\ndate = [':default', ':filename']\n[permalinks]\nblog = '/:year/:slug/'\n"}
            | {"content/blog/2025-01-02-a.md": POST},
            {"posts.folder": "content/blog", "posts.permalink": "/:year/:slug/"},
        ),
        (
            {"hugo.toml": "defaultContentLanguage = 'de'\ndefaultContentLanguageInSubdir = true\n[languages.de]\n"}
            | {"content/a/a.md": POST, "content/b/b.md": POST, "content/b/c.md": POST},
            {"posts.folder": "content/b", "posts.permalink": "/de/{path}/"},
        ),
        (
            {
                "hugo.toml": "[params]\nmainSections = ['a', 'b']\n[permalinks]\na = '/:slug/'\n"
                "b = '/:2006/:1/:slug/'\nc = '/:2006/:01/:slug/'\n"
            }
            | {"content/a/a.md": POST, "content/b/b.md": POST},
            {
                "posts.folder": "content",
                "posts.permalink": "/{path}/",
                "posts.permalinks": {"a": "/:slug/", "c": "/:year/:month/:slug/"},
            },
        ),
        (
            {"hugo.toml": "[languages.en]\ncontentDir = 'content/en'\n", "content/en/blog/a.md": POST},
            {"posts.folder": "content/en/blog", "posts.permalink": "/blog/:slugorcontentbasename/"},
        ),
        (
            {
                "hugo.toml": "[[module.mounts]]\nsource = 'pages'\ntarget = 'content'\n"
                "[permalinks]\nn = '/:section/:slug/'\n"
            }
            | {"pages/n/a.md": POST},
            {"posts.folder": "pages/n", "posts.permalink": "/n/:slug/"},
        ),
        # Posts beside folders of posts
        (
            {"zola.toml": "base_url = 'x'\n", "content/a.md": POST, "content/b/index.md": POST, "content/c/c.md": POST},
            {"posts.folder": "content", "posts.permalink": "/{path}/"},
        ),
        (
            {"eleventy.config.js": "", "content/blog/a.md": POST},
            {"posts.folder": "content/blog", "posts.permalink": "/content/blog/{path}/"},
        ),
        (
            {"package.json": '{"devDependencies": {"@11ty/eleventy": "3"}}', "posts/a.md": POST},
            {"posts.folder": "posts", "posts.permalink": "/posts/{path}/"},
        ),
        (
            {"docusaurus.config.js": "export default {title: 'x', url: 'y', plugins: [['content-blog', {path: 'b'}]]}"}
            | {"b/a.md": POST},
            {"posts.folder": "b", "posts.permalink": "/blog/{path}"},
        ),
        (
            {"pelicanconf.py": "PATH = 'c'\nARTICLE_PATHS = ['n']\nSLUGIFY_SOURCE = 'basename'\n", "c/n/a.md": POST},
            {"posts.folder": "c/n", "posts.permalink": "/{path}.html"},
        ),
    ],
)
def test_addresses_are_those_of_the_generator(tmp_path, files, expected):
    """The folder of posts and the pattern are what the generator's rules give, without any setting its default."""
    write(tmp_path, files)
    site = planned(tmp_path)
    keys = ("folder", "only_in", "date_from", "permalink", "permalinks")
    assert taken(site, *(f"posts.{key}" for key in keys)) == expected
    init.create_site(site)
    load_config(tmp_path / "feeds.toml", {})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (_eleventy("https://a.example/log/", "/log/"), "https://a.example/log/"),
        (_eleventy("https://a.example/x/log", "log"), "https://a.example/x/log/"),
        (_eleventy("https://a.example/x/", "/x/log/"), "https://a.example/x/log/"),
        (_eleventy("https://a.example/blog/", "/log/"), "https://a.example/blog/log/"),
        (_eleventy("https://log.example", "/log/"), "https://log.example/log/"),
        ({"_config.yml": "url: https://a.example/log\nbaseurl: /log\n", "_posts/a.md": POST}, "https://a.example/log/"),
        (
            {"docusaurus.config.js": "export default {url: 'https://a.example/x/', baseUrl: '/x/'}"},
            "https://a.example/x/",
        ),
        (HEXO | {"_config.yml": "url: https://a.example/log\nroot: /log/\n"}, "https://a.example/log/"),
        (HEXO | {"_config.yml": "url: https://a.example\nroot: /log/\n"}, "https://a.example/log/"),
        ({"astro.config.mjs": "export default {site: 'https://a.example/x', base: '/x'}"}, "https://a.example/x/"),
        ({"astro.config.mjs": "export default {site: 'https://a.example/y/', base: '/x'}"}, "https://a.example/x/"),
    ],
)
def test_a_path_in_the_url_and_in_the_prefix_counts_once(tmp_path, files, expected):
    """A site below a path has it once in its URL, whether the URL, the prefix of links, or both have it."""
    write(tmp_path, files)
    assert planned(tmp_path).values["site.url"].value == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("ARTICLE_LANG_URL = '{lang}/{slug}/'\n", "/{lang}/{title}/"),
        ("ARTICLE_LANG_URL = '{lang}/{slug}/index.html'\nSLUGIFY_SOURCE = 'basename'\n", "/{lang}/{path}/"),
        ("SLUGIFY_SOURCE = 'basename'\n", "/{path}-{lang}.html"),
        ("ARTICLE_URL = '{date:%Y}/{slug}/'\n", None),
    ],
)
def test_addresses_of_translations_are_those_of_pelican(tmp_path, settings, expected):
    """`ARTICLE_LANG_URL` becomes `posts.permalink_lang`; its default is written down if slugs are file names."""
    write(tmp_path, {"pelicanconf.py": f"SITEURL = 'https://a.example'\n{settings}", "content/a.md": POST})
    site = planned(tmp_path)
    assert taken(site, "posts.permalink_lang") == ({"posts.permalink_lang": expected} if expected else {})
    assert site.problems == ()
    init.create_site(site)
    assert load_config(tmp_path / "feeds.toml", {}).settings.posts.permalink_lang == (expected or "")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"_config.yml": "title: [a\n", "_posts/a.md": POST}, "_config.yml: cannot be read"),
        ({"hugo.toml": "title = \n"}, "hugo.toml: cannot be read"),
        ({"pelicanconf.py": "SITENAME = \n"}, "pelicanconf.py: cannot be read"),
        ({"_config.yml": "timezone: Mars/Base\n"}, "_config.yml: timezone was not taken: 'Mars/Base'"),
        ({"_config.yml": "url: a.example\n"}, "_config.yml: url was not taken: 'a.example'"),
        (
            {"hugo.toml": "[permalinks]\nposts = '/:sections[1:]/:slug/'\n", "content/posts/a.md": POST},
            "permalinks = '/:sections[1:]/:slug/' was not taken",
        ),
        (
            {"pelicanconf.py": "ARTICLE_URL = '{mine}/{slug}'\n"},
            "pelicanconf.py: ARTICLE_URL = '{mine}/{slug}' was not taken",
        ),
        (
            {"pelicanconf.py": "ARTICLE_LANG_URL = '{lang}/{mine}'\n"},
            "pelicanconf.py: ARTICLE_LANG_URL = '{lang}/{mine}' was not taken",
        ),
        (
            {"config.toml": "base_url = 'https://a.example'\n[slugify]\npaths = 'safe'\n", "content/blog/A_B.md": POST},
            "config.toml: slugify.paths = 'safe' is not known to Feeds: names with capital letters",
        ),
        (
            {"zola.toml": "base_url = 'https://a.example'\n[slugify]\npaths = 'off'\npaths_keep_dates = true\n"},
            "zola.toml: slugify.paths_keep_dates is not known to Feeds: files with a date in their name",
        ),
        (
            {"hugo.toml": "contentDir = 'src'\n", "src/blog/2025/a.md": POST},
            "src/blog: posts in folders below it may have other addresses",
        ),
        (
            {"eleventy.config.js": "", "posts/a.md": POST, "posts/posts.json": '{"permalink": "/{{ x | y }}/"}'},
            "posts/posts.json: permalink: '/{{ x | y }}/' is a template that only Eleventy can render",
        ),
    ],
)
def test_what_cannot_be_taken_is_reported(tmp_path, files, problem):
    """A file that is broken and a value that is not valid are one line each; the other settings are written."""
    write(tmp_path, files)
    site = planned(tmp_path)
    assert [line for line in site.problems if line.startswith(problem) or problem in line], site.problems
    init.create_site(site)
    load_config(tmp_path / "feeds.toml", {})


# The built site ---------------------------------------------------------------------------------------------------


def test_the_built_site_is_used(tmp_path):
    """Texts are taken from it, and only feeds that it has are moved, each in its own format, the Atom one adopted."""
    built = {
        "_site/2025/01/02/a.html": "x",
        "_site/feed.xml": RSS,
        "_site/atom.xml": ATOM,
        "_site/index.xml": "<urlset>",
    }
    write(tmp_path, JEKYLL | built)
    site = planned(tmp_path)
    assert taken(site, "posts.rendered", "feeds.moved") == {
        "posts.rendered": "_site",
        "feeds.moved": {"/feed.xml": "feeds/rss.xml", "/atom.xml": "feeds/atom.xml"},
    }
    assert site.old_feed == str(tmp_path / "_site/atom.xml")
    assert site.unbuilt == ""


def test_feeds_of_hugo_are_in_the_folder_of_the_default_language(tmp_path):
    """With `defaultContentLanguageInSubdir` the old feeds are `/ja/index.xml` and that of the section below it."""
    settings = "defaultContentLanguage = 'ja'\ndefaultContentLanguageInSubdir = true\n[languages.ja]\n[languages.en]\n"
    write(tmp_path, {"hugo.toml": f"baseURL = 'https://a.example'\n{settings}", "content/blog/a.md": POST})
    assert planned(tmp_path).values["feeds.moved"].value == {
        "/ja/blog/index.xml": "feeds/rss.xml",
        "/ja/index.xml": "feeds/rss.xml",
    }
    write(tmp_path, {"public/index.html": "x", "public/ja/index.xml": RSS, "public/en/index.xml": RSS})
    assert planned(tmp_path).values["feeds.moved"].value == {"/ja/index.xml": "feeds/rss.xml"}


def test_a_linked_feed_of_the_built_site_is_found(tmp_path):
    """A feed at an unusual place is the one that the home page links to, below the path of the site."""
    link = (
        '<link href="/log/x/all.rss" type="application/rss+xml" rel=alternate><link rel=alternate href="/log/no.css">'
    )
    files = {"_config.yml": "url: https://a.example\nbaseurl: /log\n", "_site/index.html": link, "_site/x/all.rss": RSS}
    write(tmp_path, files)
    assert taken(planned(tmp_path), "feeds.moved") == {"feeds.moved": {"/x/all.rss": "feeds/rss.xml"}}


def test_without_a_built_site_nothing_depends_on_it(tmp_path):
    """The key is not set, since a folder that does not exist would stop a publish; the feed is adopted from the web."""
    write(tmp_path, JEKYLL)
    site = planned(tmp_path)
    assert "posts.rendered" not in site.values
    assert (site.unbuilt, site.old_feed) == ("_site", "https://a.example/log/feed.xml")


def test_a_feed_outside_the_site_is_no_old_feed(tmp_path):
    """A path that leads out of the built site is not taken."""
    write(tmp_path, {"_config.yml": "plugins: [jekyll-feed]\nfeed: {path: ../../x.xml}\n", "_posts/a.md": POST})
    assert "feeds.moved" not in planned(tmp_path).values


# What the user says -----------------------------------------------------------------------------------------------


def test_options_count_more_than_settings(tmp_path):
    """Title, URL, folder of posts and generator of the options are set; the pattern is that of the named folder."""
    write(tmp_path, HUGO | {"content/docs/c.md": POST})
    site = planned(tmp_path, title="Mine", url="https://b.example", posts="./content/docs/", generator="hugo")
    assert taken(site, "site.title", "site.url", "site.id_authority", "posts.folder", "posts.permalink") == {
        "site.title": "Mine",
        "site.url": "https://b.example/",
        "site.id_authority": "b.example,2026",
        "posts.folder": "content/docs",
        "posts.permalink": "/{path}/",
    }
    assert site.values["posts.folder"] == Found(value="content/docs", source="--posts")
    assert "posts.generator" not in site.values


def test_a_named_folder_of_jekyll_lacks_its_category(tmp_path):
    """`--posts blog/_posts` is one folder, whose category is missing in addresses: the settings for all are named."""
    write(tmp_path, {"_config.yml": "title: A\n", "blog/_posts/2025-01-02-a.md": POST})
    site = planned(tmp_path, posts="blog/_posts")
    assert taken(site, "posts.folder", "posts.only_in") == {"posts.folder": "blog/_posts"}
    assert [line for line in site.problems if "set posts.folder = '.' and posts.only_in = '_posts'" in line]


@pytest.mark.parametrize(
    ("name", "pattern"), [("zola", "/{path}/"), ("none", None), ("hexo", ":year/:month/:day/:title/")]
)
def test_another_generator_can_be_named(tmp_path, name, pattern):
    """The rules of the named generator count, and it is written down; `none` has the rules of Feeds."""
    write(tmp_path, {"_config.yml": "title: A\n", "content/a.md": POST})
    site = planned(tmp_path, generator=name, posts="content")
    permalink = site.values.get("posts.permalink")
    assert (permalink.value if permalink else None, site.values["posts.generator"].value) == (pattern, name)
    init.create_site(site)
    assert load_config(tmp_path / "feeds.toml", {}).settings.posts.generator == name


def test_a_folder_of_posts_has_to_exist_in_a_site(tmp_path):
    """A wrong `--posts` is an error in an existing site; a new site gets the folder."""
    assert planned(tmp_path, posts="letters").values["posts.folder"].value == "letters"
    write(tmp_path, JEKYLL)
    with pytest.raises(FeedsError, match=r"--posts: .*/letters is not a folder"):
        planned(tmp_path, posts="letters")


def test_the_sample_is_not_written_into_a_site(tmp_path):
    """`--sample` in the site of a generator is an error, and nothing is written."""
    write(tmp_path, JEKYLL)
    with pytest.raises(FeedsError, match="is a site of Jekyll: leave out --sample"):
        init.create_sample(tmp_path)
    assert not (tmp_path / "feeds.toml").exists()


# What stays private -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({"_config.yml": "title: x\n"}, "_config.yml: add `exclude: [feeds.toml, letters]`"),
        ({"_config.yml": "exclude: [x]\n"}, "_config.yml: add `- feeds.toml` and `- letters` to `exclude`"),
        ({"_config.yml": "exclude: [x, letters/]\n"}, "_config.yml: add `- feeds.toml` to `exclude`"),
        ({"_config.yml": "exclude: [feeds.toml, letters]\nkeep_files: [feeds, newsletters]\n"}, None),
        ({"_config.yml": "source: src\nkeep_files: [feeds, newsletters]\n"}, None),
        ({"eleventy.config.js": ""}, ".eleventyignore: add `.feeds/` and `letters/`"),
        ({"eleventy.config.js": "", ".gitignore": ".feeds\n", ".eleventyignore": "letters/\n"}, None),
        ({"eleventy.config.js": "export default { dir: { input: 'src' } }"}, None),
        ({"hugo.toml": ""}, None),
    ],
)
def test_what_a_generator_would_publish_is_named(tmp_path, files, advice):
    """Jekyll and Eleventy take files of the site's folder: the line that keeps them out is named if it is missing."""
    write(tmp_path, files)
    found = planned(tmp_path).advice
    assert found[0].startswith(advice) if advice else found == (), found
