"""Removing passages that are repeated inside one post."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import passages, sentences
from tests.conftest import ROOT

DRAFTED = ROOT / "posts" / "2026-11-05-small-publishing-economics.md"
EXPECTED = ROOT / "tests" / "fixtures" / "drafted.expected.txt"


def sentences_of(markdown):
    return [
        s.strip() for paragraph in markdown.split("\n\n") for s in sentences.split_sentences(paragraph) if s.strip()
    ]


def test_a_drafted_post_comes_out_with_each_distinct_sentence_once_and_in_place():
    """A real post of four drafts is merged into one: each sentence once, in its place."""
    body = DRAFTED.read_text("utf-8").split("---\n", 2)[2].partition("\n\n")[2]
    merged = passages.merge_passages(body)
    assert sentences_of(merged.markdown) == EXPECTED.read_text("utf-8").splitlines()


def test_no_trace_of_the_drafts_is_left():
    """The merged text has no separators, and no paragraph that starts with `...` or ends within a sentence."""
    body = DRAFTED.read_text("utf-8").split("---\n", 2)[2].partition("\n\n")[2]
    paragraphs = passages.merge_passages(body).markdown.strip().split("\n\n")
    assert not [p for p in paragraphs if "END" in p or p.startswith(("...", "…"))]
    assert all(sentences.is_whole_sentence(p) for p in paragraphs)


A, B, C, D = "あるところに家があった。", "家には庭があった。", "庭には木があった。", "木には鳥がいた。"
FOUR = (
    "小さな町の図書館には、窓ぎわに長い机がひとつ置かれている。"
    "その机で本を読む人は、たいてい夕方までそこを離れない。"
    "司書は静かに本を戻し、ときどき窓を少しだけ開けて風を入れる。"
)
MERGED = {
    "a repeated paragraph goes": (f"{A}{B}\n\n---END---\n\n{A}{B}\n", f"{A}{B}\n"),
    "grown at the end": (f"{A}{B}\n\n---END---\n\n{A}{B}{C}\n", f"{A}{B}{C}\n"),
    "grown in the middle": (f"{A}{C}\n\n---END---\n\n{A}{B}{C}\n", f"{A}{B}{C}\n"),
    "grown at the start": (f"{B}{C}\n\n---END---\n\n{A}{B}\n", f"{A}{B}{C}\n"),
    "split": (f"{A}{B}\n\n---END---\n\n{A}\n\n{B}{C}\n", f"{A}{B}{C}\n"),
    "joined": (f"{A}\n\n{B}\n\n---END---\n\n{A}{B}{C}\n", f"{A}\n\n{B}{C}\n"),
    "a new paragraph between": (f"{A}\n\n{C}\n\n---END---\n\n{A}\n\n{B}\n\n{C}\n", f"{A}\n\n{B}\n\n{C}\n"),
    "separator under a line": (f"{A}\n---END---\n\n{A}{B}\n", f"{A}{B}\n"),
    "cut, but whole elsewhere": (f"{A}{B}\n\n---END---\n\n{A}家には庭\n\n---END---\n\n{C}\n", None),
    "joint at the overlap": (f"{A}家には庭が\n\n---END---\n\n...庭があった。{C}\n", f"{A}{B}{C}\n"),
    "joint without an overlap": (f"{A}家には庭が\n\n---END---\n\n...あった。{C}\n", f"{A}{B}{C}\n"),
    "joint in English": ("One. Two is\n\n---END---\n\n... over there.\n", "One. Two is over there.\n"),
    "joint with an ellipsis sign": (f"{A}家には庭が\n\n---END---\n\n…は庭があった。\n", f"{A}{B}\n"),
    "the cut end of a known sentence": (f"{A}{B}\n\n---END---\n\n...には庭があった。{C}\n", f"{A}{B}{C}\n"),
    "a heading comes once": (f"## 話\n\n{A}\n\n---END---\n\n## 話\n\n{A}{B}\n", f"## 話\n\n{A}{B}\n"),
    "English, with a space": (
        "One is here.\n\n---END---\n\nOne is here. Two is there.\n",
        "One is here. Two is there.\n",
    ),
    "a lone separator": (f"{A}\n\n---END---\n", f"{A}\n"),
    "other separators": (f"{A}\n\n=== END OF DRAFT 2 ===\n\n{A}{B}\n", f"{A}{B}\n"),
    "the answer to a new question": (
        "Is it open? Yes.\n\n---END---\n\nIs it open? Yes.\n\nIs it free? Yes.\n",
        "Is it open? Yes.\n\nIs it free? Yes.\n",
    ),
    "an answer between known ones": (
        "開いていますか。はい。\n\n無料ですか。はい。\n\n---END---\n\n開いていますか。はい。\n\n広いですか。はい。\n\n無料ですか。はい。\n",
        "開いていますか。はい。\n\n広いですか。はい。\n\n無料ですか。はい。\n",
    ),
    "a heading that the next part has too": (
        f"# 一\n\n## 話\n\n{A}\n\n---END---\n\n# 一\n\n## 話\n\n{A}\n\n# 二\n\n## 話\n\n{B}\n",
        f"# 一\n\n## 話\n\n{A}\n\n# 二\n\n## 話\n\n{B}\n",
    ),
    "two drafts define one footnote": (
        f"{A}[^1]\n\n[^1]: 注。\n\n---END---\n\n{A}[^1]\n\n{B}\n\n[^1]: 注。\n",
        f"{A}[^1]\n\n{B}\n\n[^1]: 注。\n",
    ),
    "a paste inside a draft": (
        f"{A}\n\n{FOUR}\n\n{FOUR}\n\n---END---\n\n{A}{B}\n",
        f"{A}{B}\n\n{FOUR}\n",
    ),
    "emphasis is ignored": (f"**{A}**\n\n---END---\n\n{A}{B}\n", f"**{A}**{B}\n"),
}


@pytest.mark.parametrize(("source", "expected"), MERGED.values(), ids=MERGED)
def test_drafts_are_merged_by_sentence(source, expected):
    """Known sentences are removed, and a new one is inserted after the known one that it follows."""
    merged = passages.merge_passages(source)
    if expected is None:
        assert sorted(sentences_of(merged.markdown)) == sorted([A, B, C])
    else:
        assert merged.markdown == expected
    assert merged.dropped


KEPT = {
    "a refrain": "Row, row.\n\nGently down.\n\nRow, row.\n\nGently down.\n",
    "code": "```\nx = 1\n---END---\nx = 1\n```\n\nText.\n",
    "a quotation": f"> {FOUR}\n\nText.\n\n> {FOUR}\n",
    "tables": "|a|\n|-|\n|1|\n\nText.\n\n|a|\n|-|\n|1|\n",
    "a list of short lines": "- one\n- two\n\nText.\n\n- one\n- two\n",
    "verse": "Line one,  \nline two.\n\nOther words.\n\nLine one,  \nline two.\n",
    "a summary repeated far below": f"{FOUR}\n\n"
    + "".join(f"別の話の{n}番目の文です。\n\n" for n in range(60))
    + FOUR
    + "\n",
    "a thematic break": "One.\n\n---\n\nTwo.\n\n---\n",
    "a key in text": "-----BEGIN CERTIFICATE-----\n\nabc\n\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_what_an_author_repeats_on_purpose_is_left_alone(source):
    """Refrains, code, quotations, tables, lists, verse and summaries are returned unchanged."""
    assert passages.merge_passages(source) == passages.Merged(markdown=source)


LONG = "The last train leaves at nine, and whoever misses it walks home along the river with everybody else."
LONG_JA = "最後の列車は九時に出るので、乗りおくれた人はみな川にそって歩いて帰ることになっている。"
ON_PURPOSE = {
    "song": (
        "Down by the water the lamps are lit,\nwe wait for the boat,\nwe wait for the boat.\n\n"
        "Nobody knows what the river will bring,\nwe wait for the boat,\nwe wait for the boat.\n\n"
        "Down by the water the lamps are lit,\nwe wait for the boat,\nwe wait for the boat.\n"
    ),
    "a chorus sung twice": (
        "Someone is singing outside.\n\n"
        "Down by the water the lamps are lit,\nwe wait for the boat that brings the spring,\nwe wait for the boat.\n\n"
        "Down by the water the lamps are lit,\nwe wait for the boat that brings the spring,\nwe wait for the boat.\n"
    ),
    "verse, a line a paragraph": (
        "The rain came early.\n\nNobody minded much.\n\nThe rain came early.\n\nNobody minded at all.\n\n"
        "The rain came early.\n"
    ),
    "Japanese verse": (
        "川べりに灯がともる\n舟を待つ\n舟を待つ\n\n春をはこぶという\n舟を待つ\n舟を待つ\n\n"
        "川べりに灯がともる\n舟を待つ\n舟を待つ\n"
    ),
    "verse with hard breaks": "川べりに、  \n灯がともる。\n\n舟が来る。\n\n川べりに、  \n灯がともる。\n",
    "code": (
        "Install it like this on every machine that you have:\n\n```sh\nmake install\n```\n\n"
        "And to bring it up to date later, the very same thing:\n\n```sh\nmake install\n```\n"
    ),
    "indented code": "最初はこう書く。\n\n    make install\n\n次もこう書く。\n\n    make install\n",
    "licence lines": (
        f"# First part\n\n{LONG}\n\nText: CC BY 4.0, the makers of this page.\n\n# Second part\n\n"
        "Other words are here.\n\nText: CC BY 4.0, the makers of this page.\n"
    ),
    "tables": (
        "In spring it was so.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nIn autumn it was the same.\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n"
    ),
    "tables in Japanese": (
        "春の表。\n\n| 品 | 数 |\n|---|---|\n| 紙 | 2 |\n\n秋の表。\n\n| 品 | 数 |\n|---|---|\n| 紙 | 2 |\n"
    ),
    "link lists": (
        "For those who come:\n\n- [Map](https://example.com/map)\n- [Times](https://example.com/times)\n\n"
        "For those who stay away:\n\n- [Map](https://example.com/map)\n- [Times](https://example.com/times)\n"
    ),
    "lines of links": (
        "The first hall opens early.\n\n[Map of the halls and of the way there](https://example.com/a-map-of-all-halls)\n\n"
        "The second hall opens late.\n\n[Map of the halls and of the way there](https://example.com/a-map-of-all-halls)\n"
    ),
    "quotations": f"He wrote:\n\n> {LONG}\n\nA year later he wrote again:\n\n> {LONG}\n",
    "Japanese quotations": f"こう書いてある。\n\n> {LONG_JA}\n\n一年後にもこうある。\n\n> {LONG_JA}\n",
    "a quotation of the text itself": f"{LONG}\n\nThis is what we have to talk about:\n\n> {LONG}\n",
    "a pull quote": f"{LONG} Then it is quiet.\n\nNobody says much on the way, and nobody has to.\n\n**{LONG}**\n",
    "footnotes": (
        "One is here.[^1] Two is there.[^2] Both are meant.\n\n[^1]: See the list.\n[^2]: See the list.\n\n"
        "Three is far away.[^1]\n"
    ),
    "Japanese footnotes": "ひとつめの話。[^1]\n\nふたつめの話。[^1]\n\n[^1]: 一覧を見よ。\n",
    "questions and answers": (
        "Is the hall open on Sundays? Yes.\n\nIs it open on Mondays? No.\n\nIs there a place to eat? Yes.\n\n"
        "Is there one to sleep? No.\n"
    ),
    "Japanese questions and answers": (
        "日曜は開いていますか。はい。\n\n月曜はどうですか。いいえ。\n\n食堂はありますか。はい。\n"
    ),
    "an interview": (
        "**Q:** What did you see?\n\n**A:** Nothing.\n\n**Q:** And what did you hear?\n\n**A:** Nothing.\n"
    ),
    "calls to action": (
        f"{LONG}\n\n**Write to us and tell us how you get home when you miss it.**\n\nSome swim, we are told.\n\n"
        "**Write to us and tell us how you get home when you miss it.**\n"
    ),
    "Japanese calls to action": (
        f"{LONG_JA}\n\n続きは来週の号で読めるので、ぜひ登録を。\n\n泳ぐ人もいるらしい。\n\n続きは来週の号で読めるので、ぜひ登録を。\n"
    ),
    "headings": (
        "# Monday\n\n## What was done\n\nWe swept the hall.\n\n# Tuesday\n\n## What was done\n\nWe swept it again.\n"
    ),
    "a form": (
        "# North\n\nWhat went well in the past month, and what a reader should know about it:\n\nAll of it.\n\n"
        "# South\n\nWhat went well in the past month, and what a reader should know about it:\n\nNone of it.\n"
    ),
    "headings in bold": "**Prices**\n\nPrices went up again.\n\n**Wages**\n\nWages went down again.\n",
    "Japanese headings in bold": "**紙の値段**\n\n紙の値段はまた上がった。\n\n**布の値段**\n\n布の値段は下がった。\n",
}
SEPARATOR = "\n---END---\n\n"


@pytest.mark.parametrize("source", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_what_is_repeated_on_purpose_comes_back_byte_for_byte(source):
    """Text that is repeated on purpose is returned unchanged."""
    assert passages.merge_passages(source) == passages.Merged(markdown=source)


@pytest.mark.parametrize("source", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_a_separator_alone_does_not_make_drafts(source):
    """A separator before or after the whole text is removed, and the text stays unchanged."""
    alone = passages.Merged(markdown=source, dropped=("---END---",))
    assert passages.merge_passages(source + SEPARATOR) == alone
    assert passages.merge_passages(SEPARATOR + source) == alone


@pytest.mark.parametrize("source", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_what_a_draft_repeats_on_purpose_is_repeated_as_often_behind_the_merge(source):
    """A draft and its copy give the draft, with its own repetitions; new sentences of another draft follow."""
    other = "Behind the hill the road forks, and both ways lead to the sea.\n"
    assert passages.merge_passages(source + SEPARATOR + source).markdown == source
    assert passages.merge_passages(source + SEPARATOR + other).markdown == f"{source}\n{other}"
    assert passages.merge_passages(source + SEPARATOR + source + "\n" + other).markdown == f"{source}\n{other}"


def test_a_passage_that_was_pasted_twice_is_removed_without_a_separator():
    """A passage that directly follows itself is removed, without a separator too."""
    merged = passages.merge_passages(f"Intro.\n\n{FOUR}\n\n{FOUR}\n\nEnd.\n")
    assert sentences_of(merged.markdown) == ["Intro.", *sentences_of(FOUR), "End."]


def test_a_draft_without_separators_is_merged_when_it_repeats_much_of_itself():
    """A post of paragraphs only, a fifth of them repeated, is merged without separators."""
    merged = passages.merge_passages(f"{FOUR}\n\nべつの文がひとつあった。\n\n{FOUR}\n\nさらに文がつづいた。\n")
    assert sentences_of(merged.markdown) == [*sentences_of(FOUR), "べつの文がひとつあった。", "さらに文がつづいた。"]


@pytest.mark.parametrize("again", [f"{LONG} {LONG}", f"  {LONG}\n{LONG}"])
def test_what_a_repeated_paragraph_leaves_is_looked_at_again(again):
    """The rest of a partly removed paragraph is checked for repetitions again."""
    assert passages.merge_passages(f"{LONG}\n\n{again}\n").markdown == f"{LONG}\n"


def test_a_text_longer_than_any_draft_is_left_alone():
    """In a text of more than 200,000 characters nothing is looked for, and a separator stays."""
    for number, copies in ((1000, 1), (4000, 2)):
        draft = "".join(f"Sentence number {n} is here.\n\n" for n in range(number))
        merged = passages.merge_passages(f"{draft}---END---\n\n{draft}").markdown
        assert merged.count("number 7 is") == copies


def test_code_inside_a_repeated_draft_goes_with_its_draft():
    """A code block between two repeated sentences is removed with them."""
    code = "```\nprint()\n```"
    merged = passages.merge_passages(f"{A}\n\n{code}\n\n{B}\n\n---END---\n\n{A}\n\n{code}\n\n{B}{C}\n")
    assert merged.markdown == f"{A}\n\n{code}\n\n{B}{C}\n"


def test_steps_that_say_the_same_stay_in_their_place():
    """Short sentences and headings that one draft repeats stay in their place."""
    source = "## Part\n\nStep 1. Do it. Step 2. Do it.\n\n## Part\n\nOther words.\n"
    assert passages.merge_passages(f"{source}\n---END---\n\nMore is here.\n").markdown == f"{source}\nMore is here.\n"


def test_words_that_differ_by_an_underscore_are_different():
    """Words that differ by an inner underscore are different."""
    source = "The name is snake_case here. The name is snakecase here.\n"
    assert passages.merge_passages(f"{source}\n---END---\n").markdown == source


def test_a_list_in_a_repeated_draft_comes_once():
    """A list with the same neighbour in two drafts is kept once."""
    source = "Intro is here.\n\n- one\n- two\n"
    assert passages.merge_passages(f"{source}\n---END---\n\n{source}\nOutro.\n").markdown == f"{source}\nOutro.\n"


WORDS = st.lists(
    st.sampled_from(["朝に降る雨と", "夜の風のなか", "空を見上げて", "海のむこうに"]), min_size=3, max_size=5
)
SENTENCE = WORDS.map(lambda words: "".join(words) + "。")
PARAGRAPHS = st.lists(st.lists(SENTENCE, min_size=1, max_size=4), min_size=1, max_size=4)


def distinct(draft):
    """A draft without its repeated sentences."""
    seen = set()
    found = [[s for s in paragraph if not (s in seen or seen.add(s))] for paragraph in draft]
    return [paragraph for paragraph in found if paragraph]


DRAFT = PARAGRAPHS.map(distinct)


@given(st.lists(DRAFT, min_size=2, max_size=4))
def test_each_distinct_sentence_of_any_drafts_is_kept_once(drafts):
    """The merged text contains each distinct sentence of all drafts exactly once."""
    source = "\n\n---END---\n\n".join("\n\n".join("".join(p) for p in draft) for draft in drafts)
    found = Counter(sentences_of(passages.merge_passages(source).markdown))
    assert found == Counter({s for draft in drafts for p in draft for s in p})


@given(st.lists(PARAGRAPHS, min_size=1, max_size=3))
def test_merging_twice_changes_nothing_more(drafts):
    """Merging a merged text changes nothing."""
    source = "\n\n---END---\n\n".join("\n\n".join("".join(p) for p in draft) for draft in drafts)
    once = passages.merge_passages(source).markdown
    assert not re.search("END", once)
    assert passages.merge_passages(once).markdown == once


LINES = st.sampled_from(
    [
        LONG,
        f"{LONG} {LONG}",
        f"**{LONG}**",
        f"  {LONG}",
        f"    {LONG}",
        f"- {LONG}",
        f"> {LONG}",
        LONG_JA,
        f"{LONG_JA}{LONG_JA}",
        f"{A}{LONG_JA}",
        A,
        f"{A}{B}{C}{D}",
        "Yes.",
        "The lamps are lit,",
        "# Part",
        "- one",
        "```",
        "| a | b |",
        "[^1]: See the list.",
        "---",
        "---END---",
        " === END OF DRAFT 2 === ",
        "...は庭があった。",
        "家には庭",
        "",
        "",
    ],
)
POST = st.lists(LINES, max_size=16).map("\n".join)


@given(POST)
def test_the_quick_check_misses_nothing(source):
    """`may_repeat` is True for every post in which `merge_thoroughly` finds something."""
    assert passages.may_repeat(source) or passages.merge_thoroughly(source) == passages.Merged(markdown=source)


@given(POST)
def test_merging_any_post_twice_changes_nothing_more(source):
    """Merging a merged text changes nothing."""
    once = passages.merge_passages(source).markdown
    assert passages.merge_passages(once) == passages.Merged(markdown=once)


ENGLISH = st.text(alphabet="abcdefgh ", min_size=1, max_size=90).map(lambda text: f"So {' '.join(text.split())} it is.")
JAPANESE = st.text(alphabet="朝夜雨風空海鳥木", min_size=1, max_size=45).map(lambda text: f"{text}がある。")


@given(
    st.sampled_from([(ENGLISH, " "), (JAPANESE, "")]).flatmap(
        lambda of: st.tuples(st.lists(st.lists(of[0], min_size=1, max_size=5), min_size=1, max_size=8), st.just(of[1]))
    )
)
def test_a_text_of_distinct_sentences_comes_back_and_twice_it_comes_back_once(of):
    """A text of distinct sentences is returned unchanged: alone, before a separator, and when it is pasted twice."""
    paragraphs, space = of
    source = "\n\n".join(space.join(p) for p in distinct(paragraphs)) + "\n"
    assert passages.merge_passages(source) == passages.Merged(markdown=source)
    assert passages.merge_passages(source + SEPARATOR).markdown == source
    assert passages.merge_passages(source + SEPARATOR + source).markdown == source
