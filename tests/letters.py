"""Letters for tests: a digest, a whole post and a correction in four languages, with every kind of content."""

from pathlib import Path

from feeds.config import load_config
from feeds.jobs.context import Context
from feeds.jobs.newsletters import correct, retract
from feeds.jobs.publish import publish
from tests.conftest import NOW, asked

TEMPLATES = ("digest", "letter")
LANGUAGES = ("en", "ja", "de", "ar")
#: The names of all letters.
NAMES = [f"{kind}-{lang}" for kind in (*TEMPLATES, "correction") for lang in LANGUAGES]
POSTS = {
    "en": ("Two doors to the same room", "Some readers would like to be *told*; others would rather look."),
    "ja": (
        "広告を置かないという勘定の話",
        "小さな読みものの場所を続けていると、**広告**を置くかどうかを考える日が来ます。",
    ),
    "de": ("Die Donaudampfschifffahrtsgesellschaft", "Wer einen Brief schreibt, schreibt ihn *jemandem*."),
    "ar": ("رسالة إلى القارئ", "من يكتب رسالة يكتبها **لأحد**."),
}
POST_BODY = """{words}

## Heading

> A quotation.

| a | b | c | d |
|---|---|---|---|
| 1 | 2 | 3 | 4 |

```python
print("a long line of code that goes on and on and on and on and on and on and on and on and on")
```

![A picture](/a.png)

1. one
2. two [link](/b)
"""


def publish_letters(folder: Path) -> dict[str, bytes]:
    """Publish all letters in *folder*; return the messages by name, such as `digest-ja` or `correction-ja`."""
    (folder / "posts").mkdir()
    newsletters = "".join(
        f'[[newsletters]]\nname = "{template}-{lang}"\ntitle = "{POSTS[lang][0]}"\nlanguage = "{lang}"\n'
        f'schedule = "0 8 * * mon"\ntemplate = "{template}"\ncopy_to = ["desk@example.com"]\n'
        'sponsor = "**They** pay. [Look](https://they.example/)."\n'
        for template in TEMPLATES
        for lang in LANGUAGES
    )
    mail = '[mail]\nfrom = "desk@example.com"\naddress = "1 Lane"\n'
    (folder / "config.toml").write_text(
        f'[site]\ntitle = "S"\nurl = "https://example.com/"\n{newsletters}{mail}', "utf-8"
    )
    for day, (lang, (title, words)) in enumerate(POSTS.items(), 18):
        front = f"title: {title}\nlang: {lang}\ndate: 2026-11-{day}\ncategory: {lang}\nauthor: A"
        front += "\nimage: /a.png\nimage_alt: P"
        (folder / "posts" / f"{lang}.md").write_text(f"---\n{front}\n---\n{POST_BODY.format(words=words)}", "utf-8")
    for name in (f"{template}-{lang}" for template in TEMPLATES for lang in LANGUAGES):
        (folder / "letters" / name).mkdir(parents=True)
        (folder / "letters" / name / "next.md").write_text("A *note*, `code` and a [link](/c).\n\n> Quoted.\n", "utf-8")
    config = load_config(folder / "config.toml", {})
    publish(config, *asked())
    for lang, (_, words) in POSTS.items():
        (folder / "correction.md").write_text(POST_BODY.format(words=words), "utf-8")
        correct.send_correction(config, f"digest-{lang}", 1, folder / "correction.md", *asked())
    return {_name(*file.parts[-3:-1]): file.read_bytes() for file in sorted((folder / ".feeds/outbox").rglob("*.eml"))}


def _name(newsletter: str, number: str) -> str:
    return newsletter if number == "1" else newsletter.replace("digest", "correction")


def retract_digests(folder: Path) -> dict[str, Path]:
    """Retract the digests published in *folder*; return their pages, by language. Each digest has a correction too."""
    config, context = load_config(folder / "config.toml", {}), Context(clock=lambda: NOW)
    for lang, (_, words) in POSTS.items():
        retract.retract_issue(config, f"digest-{lang}", 1, words, context)
    return {lang: folder / f"public/newsletters/digest-{lang}/1/index.html" for lang in LANGUAGES}
