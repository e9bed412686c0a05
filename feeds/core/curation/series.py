"""The parts of a series differ in digits and in the words that count, in the languages that Feeds has texts for.

Two notices that differ in the month only, or a beta and its release candidate, are two posts, however similar they are
otherwise.
"""

import re
from functools import lru_cache

from feeds.core.curation.titles import may_be_copies
from feeds.core.posts import text

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
#: Written so, or in capitals: `may` and `march` are other words. Of Roman numbers, I, V and X are letters too.
_NAMES = _TOKEN.findall("""
    January February March April May June July August September October November December
    Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun
    Januar Jänner Februar März Mai Juni Juli Oktober Dezember Mär Okt Dez
    Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonnabend Sonntag
    يناير فبراير مارس أبريل إبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
    الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد
    II III IV VI VII VIII IX XI XII
""")
_AS_WRITTEN = frozenset((*_NAMES, *map(str.upper, _NAMES)))
#: In any case.
_COUNTING = frozenset(
    _TOKEN.findall("""
    alpha beta rc final candidate preview stable ألفا بيتا نهائي النهائي
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    الأول الأولى الثاني الثانية الثالث الثالثة الرابع الرابعة الخامس الخامسة السادس السادسة السابع السابعة
    الثامن الثامنة التاسع التاسعة العاشر العاشرة
    """)
)
_GERMAN_ORDINAL = re.compile("(?:erst|zweit|dritt|viert|fünft|sechst|siebt|acht|neunt|zehnt|elft|zwölft)e[rsnm]?")
#: Japanese is written without spaces.
_JAPANESE = re.compile(
    r"第[〇一二三四五六七八九十百千]+|その[一二三四五六七八九十]+(?!\w)|[〇一二三四五六七八九十]+[月日回号]|[月火水木金土日]曜|\([月火水木金土日]\)"
    r"|[前中後][編篇]|[上中下]巻|[上中下]旬|最終[回版]|正式版|アルファ|ベータ|[αβ]版"
)

#: A cardinal counts behind the name of a part only: `one` and `zwei` are frequent words.
_NAMED_PART = re.compile(
    r"\b(?:(?:part|chapter|episode|volume|day|week|act)\s+"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"|(?:teil|kapitel|folge|band|tag|woche)\s+"
    r"(?:eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf))\b",
    re.IGNORECASE,
)


def part_numbers(plain: str) -> list[str]:
    """Return the digits and the counting words of a normalised plain text or title, in their order."""
    found = [token.casefold() for token in _TOKEN.findall(plain) if _counts(token)]
    found += map(str.casefold, _NAMED_PART.findall(plain))
    return found if plain.isascii() else found + _JAPANESE.findall(plain)


def _counts(token: str) -> bool:
    word = token.casefold()
    return token[0].isdecimal() or token in _AS_WRITTEN or word in _COUNTING or bool(_GERMAN_ORDINAL.fullmatch(word))


def are_parts(one: str, other: str) -> bool:
    """Return whether two titles name different parts of a series: apart from what counts they are alike."""
    return differ_in_numbers(one, other) and may_be_copies(_without_numbers(one), _without_numbers(other))


def differ_in_numbers(one: str, other: str) -> bool:
    """Return whether two titles have different digits or counting words."""
    return _title_numbers(one) != _title_numbers(other)


@lru_cache(maxsize=2**14)
def _title_numbers(title: str) -> list[str]:
    return part_numbers(text.normalize(title))


def _without_numbers(title: str) -> str:
    bare = _NAMED_PART.sub(" ", _JAPANESE.sub(" ", text.normalize(title)))
    return _TOKEN.sub(lambda token: " " if _counts(token[0]) else token[0], bare)
