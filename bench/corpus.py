"""Writes a folder of generated posts for benchmarks, and a list of the planted special cases.

    python bench/corpus.py N FOLDER [--seed S]

Writes N posts of about 7 kB to FOLDER/posts, and FOLDER/truth.json. The same N and seed give the same bytes. The words are
drawn from small lists, so the texts have no meaning; their structure is that of blogs: paragraphs, headings, lists, tables,
code, pictures, quotations, links and footnotes, in Japanese, English, German, Chinese and Arabic.

Planted, as shares of N: 2 % exact copies under other names; 2 % near copies with other titles, with one edit up to an edit
in every sentence; 1 % instalments, which differ only in their numbers and must not be dropped; 1 % posts that repeat a
passage after a line `---END---`; 1 % drafts; 1 % future posts; 5 % posts that share a disclaimer and are not duplicates.
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.core.curation.duplicates import jaccard_similarity
from feeds.core.posts import render
from feeds.settings import Settings

#: The date of the newest public post; future posts are years later.
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CATEGORIES = (
    *("投資", "道具", "Gardens", "Letters", "暮らし", "Bridges"),
    *("音楽", "Harbours", "Typography", "Kitchen", "星空", "Railways"),
)
#: The most pairs whose exact similarity is computed; more would take longer than writing the posts.
_MOST_RECKONED = 400
_LANGUAGES = {"ja": 40, "en": 40, "de": 8, "zh": 7, "ar": 5}


@dataclass(frozen=True)
class Language:
    """The words and punctuation that sentences of a language are made of."""

    words: tuple[str, ...]
    joints: tuple[str, ...]
    space: str
    comma: str
    stop: str
    disclaimer: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LANGUAGES = {
    "en": Language(
        _words(
            "harbour lantern orchard ledger compass meadow kettle anchor violin quarry saddle thimble pebble willow barley "
            "copper velvet gravel hammock ribbon furnace chimney cellar attic gable rafter mortar trowel spindle shuttle "
            "weaver baker tinker cobbler printer binder sailor ferryman shepherd gardener lighthouse viaduct turnpike tunnel "
            "carries mends gathers weighs measures borrows returns paints polishes repairs listens wanders hurries rests "
            "slowly gently early late bright narrow hollow ancient borrowed crooked silent northern winter evening"
        ),
        _words("the a of in on with from under beside toward without before after and but while because"),
        " ",
        ", ",
        ". ",
        "Nothing on this page is advice. Whoever acts on it does so at a risk of their own, and should ask somebody who knows "
        "their circumstances before money, health or a journey depends on it.",
    ),
    "de": Language(
        _words(
            "Hafen Laterne Obstgarten Kompass Wiese Kessel Anker Geige Steinbruch Sattel Fingerhut Kiesel Weide Gerste Kupfer "
            "Samt Hängematte Schornstein Keller Dachboden Giebel Mörtel Kelle Spindel Weber Bäcker Drucker Fährmann Schäfer "
            "Gärtner Leuchtturm Brücke trägt flickt sammelt wiegt misst leiht malt poliert hört wandert eilt ruht langsam "
            "leise früh spät hell schmal hohl alt krumm still nördlich winterlich größer schön"
        ),
        _words("der die das ein eine von in auf mit aus unter neben ohne vor nach und aber während weil"),
        " ",
        ", ",
        ". ",
        "Nichts auf dieser Seite ist ein Rat. Wer danach handelt, tut es auf eigene Gefahr und sollte vorher jemanden fragen, "
        "der die Umstände kennt.",
    ),
    "ja": Language(
        _words(
            "港 灯台 果樹園 帳簿 羅針盤 牧場 薬缶 錨 採石場 指貫 小石 柳 大麦 銅 天鵞絨 砂利 煙突 地下室 屋根裏 切妻 漆喰 紡錘 織工 職人 "
            "印刷所 製本屋 船乗り 渡し守 羊飼い 庭師 高架橋 隧道 書店 郵便局 手紙 活字 紙面 余白 読者 編集者 季節 朝霧 夕暮れ 冬支度 古道 "
            "運ぶ 繕う 集める 量る 測る 借りる 返す 塗る 磨く 聞く 歩く 急ぐ 休む 静かに 早くから 遅くまで 明るい 狭い 古い 曲がった"
        ),
        _words("は が を に で と も の から まで より へ という として とともに について"),
        "",
        "、",
        "。",
        "このページの内容は助言ではありません。これに基づいて行動する場合は、ご自身の責任において行い、"
        "事情をよく知る人に相談してください。",
    ),
    "zh": Language(
        _words(
            "港口 灯塔 果园 账本 罗盘 草地 水壶 铁锚 采石场 马鞍 顶针 卵石 柳树 大麦 黄铜 天鹅绒 烟囱 地窖 阁楼 山墙 灰泥 纺锤 织工 "
            "面包师 印刷工 水手 船夫 牧羊人 园丁 高架桥 隧道 书店 邮局 来信 铅字 页边 读者 编辑 季节 晨雾 黄昏 搬运 修补 收集 称量 测量 "
            "借来 归还 涂抹 擦亮 倾听 漫步 赶路 休息 慢慢 很早 很晚 明亮 狭窄 古老 弯曲"
        ),
        _words("的 了 在 和 与 把 被 从 向 对 也 都 就 而"),
        "",
        "，",
        "。",
        "本页内容并非建议。据此行事者自担风险，在涉及钱财、健康或行程之前，应先请教了解情况的人。",
    ),
    "ar": Language(
        _words(
            "الميناء الفانوس البستان الدفتر البوصلة المرج الغلاية المرساة الكمان المحجر السرج الحصى الصفصاف الشعير النحاس "
            "المخمل المدخنة القبو العلية الجدار المغزل النساج الخباز الطابع البحار الراعي البستاني المنارة الجسر النفق يحمل "
            "يصلح يجمع يزن يقيس يستعير يعيد يدهن يلمع يصغي يتجول يسرع يستريح ببطء مبكرا متأخرا ضيق قديم صامت شمالي"
        ),
        _words("في من على إلى مع عن تحت قرب دون قبل بعد ثم لكن بينما لأن"),
        " ",
        "، ",
        ". ",
        "لا شيء في هذه الصفحة نصيحة. ومن عمل بها فعلى مسؤوليته، وعليه أن يسأل من يعرف ظروفه قبل ذلك.",
    ),
}
#: Kinds of blocks and their weights.
_BLOCKS = {"paragraph": 62, "heading": 12, "bullets": 8, "table": 5, "code": 4, "picture": 4, "quotation": 5}
_CODE = (
    "def weigh(grain):\n    return sum(sack.kilograms for sack in grain if sack.dry)",
    'for letter in tray; do\n  fold "$letter" && seal "$letter"\ndone',
    '{"harbour": {"lanterns": 4, "lit": true}, "tide": null}',
)


@dataclass(frozen=True)
class Post:
    """A generated post."""

    name: str
    lang: str
    title: str
    date: datetime
    body: str
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    excerpt: str
    draft: bool = False


class Writer:
    """Generates texts from random words."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def clause(self, language: Language) -> str:
        """Return a clause of a few words."""
        draw = self._chance.random
        words = []
        for _ in range(self._chance.randint(3, 8)):
            words += [self._chance.choice(language.words), self._chance.choice(language.joints)][: 1 + (draw() < 0.6)]
        if draw() < 0.1:
            words.append(f"{language.space}{self._chance.randint(2, 9900)}{language.space}".strip())
        return language.space.join(words)

    def sentence(self, language: Language) -> str:
        """Return one or two clauses, sometimes with a link or emphasis."""
        found = language.comma.join(self.clause(language) for _ in range(self._chance.choice((1, 2, 2))))
        turn = self._chance.random()
        word = self._chance.choice(language.words)
        if turn < 0.05:
            found += f"{language.space}[{word}](https://example.org/{self._chance.randint(1, 9999)}?a=1&b=2)"
        elif turn < 0.08:
            found += f" **{word}** "
        elif turn < 0.1:
            found += f" `{word} && x < y` "
        return found[:1].upper() + found[1:] + language.stop

    def paragraph(self, language: Language) -> str:
        """Return a paragraph of three to seven sentences."""
        return "".join(self.sentence(language) for _ in range(self._chance.randint(3, 7))).strip()

    def block(self, language: Language) -> str:
        """Return a random block, mostly a paragraph."""
        kind = self._chance.choices(list(_BLOCKS), list(_BLOCKS.values()))[0]
        return str(getattr(self, kind)(language))

    def heading(self, language: Language) -> str:
        """Return a heading of the second level."""
        return f"## {self.clause(language)}"

    def bullets(self, language: Language) -> str:
        """Return a list."""
        return "\n".join(f"- {self.clause(language)}" for _ in range(self._chance.randint(3, 6)))

    def table(self, language: Language) -> str:
        """Return a table of two columns."""
        lines = self._chance.randint(2, 5)
        rows = (f"| {self.clause(language)} | {self._chance.randint(1, 999)} |" for _ in range(lines))
        return "\n".join((f"| {self.clause(language)} | {self.clause(language)} |", "|---|---:|", *rows))

    def code(self, _language: Language) -> str:
        """Return a block of code."""
        return f"```\n{self._chance.choice(_CODE)}\n# {self._chance.randint(1, 10**6)}\n```"

    def picture(self, language: Language) -> str:
        """Return a picture."""
        return f"![{self.clause(language)}](/pictures/{self._chance.randint(1, 9999)}.jpg)"

    def quotation(self, language: Language) -> str:
        """Return a quotation."""
        return f"> {self.sentence(language).strip()}"

    def body(self, language: Language, size: int) -> str:
        """Return blocks with a total size of about *size* bytes."""
        blocks, written = [self.paragraph(language)], 0
        while written < size:
            blocks.append(self.block(language))
            written += len(blocks[-1].encode()) + 2
        if self._chance.random() < 0.1:
            blocks[0] += "[^1]"
            blocks.append(f"[^1]: {self.clause(language)}")
        return "\n\n".join(blocks) + "\n"

    def post(self, number: int) -> Post:
        """Return a post without any special case."""
        chance = self._chance
        lang = chance.choices(list(_LANGUAGES), list(_LANGUAGES.values()))[0]
        language = LANGUAGES[lang]
        size = min(40_000, max(900, int(chance.lognormvariate(8.53, 0.5))))
        body = self.body(language, size)
        if chance.random() < 0.05:
            body += f"\n{language.disclaimer}\n"
        return Post(
            name=f"{chance.choice(LANGUAGES['en'].words)}-{number}",
            lang=lang,
            title=self.clause(language)[:60].strip(),
            date=NOW - timedelta(seconds=chance.randrange(6 * 365 * 86_400)),
            body=body,
            categories=tuple(dict.fromkeys(chance.choices(CATEGORIES, k=chance.randint(1, 3)))),
            tags=tuple(dict.fromkeys(chance.choices(language.words, k=chance.randint(1, 6)))),
            excerpt=self.sentence(language).strip(),
        )

    def edited(self, post: Post) -> str:
        """Return the body with one or more words replaced, up to one in every sentence."""
        language = LANGUAGES[post.lang]
        own = sorted(set(language.words), key=len, reverse=True)
        bound = r"\b" if language.space else ""
        places = list(re.finditer(rf"{bound}(?:{'|'.join(map(re.escape, own))}){bound}", post.body))
        every = self._chance.choice((0, 400, 120, 60, 25, 12))
        chosen = places[1::every] if every else places[1:2]
        body = post.body
        for place in reversed(chosen):
            body = body[: place.start()] + self._chance.choice(language.words) + body[place.end() :]
        return body


def make(count: int, folder: Path, seed: int = 1) -> dict[str, object]:
    """Write *count* posts to *folder*; return the planted cases as in truth.json: names in the posts folder."""
    chance = random.Random(f"{count} {seed}")
    writer = Writer(chance)
    share = {kind: round(count * part) for kind, part in _SHARES.items()}
    posts = [writer.post(n) for n in range(count - share["exact"] - share["near"] - share["instalments"])]
    planted = iter(chance.sample(range(len(posts)), sum(share.values())))
    truth: dict[str, object] = {}
    for kind, how in _CHANGES.items():
        places = [next(planted) for _ in range(share[kind])]
        for place in places:
            posts[place] = how(posts[place])
        truth[kind] = [f"{posts[place].name}.md" for place in places]
    copies = {
        kind: list(_copies(kind, writer, posts, planted, share[kind])) for kind in ("exact", "near", "instalments")
    }
    place = folder / "posts"
    place.mkdir(parents=True, exist_ok=True)
    for post in (*posts, *(copy for pairs in copies.values() for _, copy in pairs)):
        (place / f"{post.name}.md").write_text(_written(post), "utf-8")
    truth |= {kind: [[f"{one.name}.md", f"{other.name}.md"] for one, other in pairs] for kind, pairs in copies.items()}
    truth["similarity"] = [_similarity(place, pair) for pair in copies["near"][:_MOST_RECKONED]]
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=0), "utf-8")
    return truth


#: Shares of all posts; the remaining posts are ordinary.
_SHARES = {"drafts": 0.01, "future": 0.01, "repeated": 0.01, "exact": 0.02, "near": 0.02, "instalments": 0.01}
_CHANGES: dict[str, Callable[[Post], Post]] = {
    "drafts": lambda post: replace(post, draft=True),
    "future": lambda post: replace(post, date=post.date + timedelta(days=3650)),
    "repeated": lambda post: replace(post, body=f"{post.body}\n---END---\n\n{post.body}"),
}


def _copies(
    kind: str, writer: Writer, posts: list[Post], planted: Iterator[int], count: int
) -> Iterator[tuple[Post, Post]]:
    """Yield pairs of a post and its copy; each post has at most one copy."""
    for number in range(count):
        post = posts[next(planted)]
        later = post.date + timedelta(hours=1 + number % 72)
        if kind == "exact":
            yield post, replace(post, name=f"{post.name}-again")
        elif kind == "near":
            title = writer.clause(LANGUAGES[post.lang])[:60].strip()
            yield post, replace(post, name=f"{post.name}-like", title=title, date=later, body=writer.edited(post))
        else:
            body = f"{post.body}\n{number + 1}\n"
            yield post, replace(post, name=f"{post.name}-next", date=later, body=body)


def _written(post: Post) -> str:
    lines = [
        f"title: {json.dumps(post.title, ensure_ascii=False)}",
        f"date: {post.date:%Y-%m-%d %H:%M:%S} +0000",
        f"lang: {post.lang}",
        "categories:",
        *(f"  - {category}" for category in post.categories),
        f"tags: [{', '.join(json.dumps(tag, ensure_ascii=False) for tag in post.tags)}]",
        'author: "The bench"',
        f"excerpt: {json.dumps(post.excerpt, ensure_ascii=False)}",
        *(["draft: true"] if post.draft else []),
    ]
    return "\n".join(["---", *lines, "---", "", post.body])


def _similarity(place: Path, pair: tuple[Post, Post]) -> float:
    """Return the similarity of two posts as the program computes it."""
    names = [f"{post.name}.md" for post in pair]
    texts = [render.comparison_text(name, (place / name).read_bytes(), Settings()) for name in names]
    return round(jaccard_similarity(*(text.plain for text in texts)), 4)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make(options.count, options.folder, options.seed)
