"""Seasons, episodes, transcripts, chapters and people in front matter."""

import pytest

from feeds.core.posts.media import parse_duration
from feeds.model import Episode, Person, Transcript
from tests.core.factory import parsed

AUDIO = "title: T\naudio: /a.mp3\n"


def episode(front):
    """The episode of a post with a recording, and the warnings about it without their file and line."""
    post = parsed(AUDIO + front)
    return post.episode, [warning.partition(": ")[2] for warning in post.warnings]


def test_an_episode_is_read():
    """Season, episode, type, explicit, transcripts, chapters and people are read; addresses become absolute."""
    found, warnings = episode(
        "season: 2\nepisode: 07\nepisode_type: Bonus\nexplicit: clean\nchapters: /c.json\n"
        "transcript: [/t.vtt, {url: https://x.example/t, type: text/html, language: de}]\n"
        "hosts: [Ada]\nguest: {name: 葵, url: https://aoi.example/, image: /aoi.jpg}\n"
    )
    assert warnings == []
    assert found == Episode(
        season=2,
        number=7,
        type="bonus",
        explicit=False,
        chapters="https://example.com/c.json",
        transcripts=(
            Transcript(url="https://example.com/t.vtt", type="text/vtt"),
            Transcript(url="https://x.example/t", type="text/html", lang="de"),
        ),
        people=(
            Person(name="Ada", role="host"),
            Person(name="葵", role="guest", url="https://aoi.example/", image="https://example.com/aoi.jpg"),
        ),
    )


@pytest.mark.parametrize(
    ("written", "number"), [("3", 3), ('"003"', 3), ("S3", 3), ("Episode 12", 12), ('"#4"', 4), ("0", 0)]
)
def test_numbers_are_found_in_usual_forms(written, number):
    """Numbers may have zeros, a letter, a word or a `#` before them."""
    assert episode(f"episode: {written}")[0] == Episode(number=number)


@pytest.mark.parametrize(("written", "explicit"), [("true", True), ("yes", True), ("explicit", True), ("'no'", False)])
def test_explicit_is_read_in_the_words_of_apple(written, explicit):
    """The former values of Apple are read too."""
    assert episode(f"itunes_explicit: {written}")[0] == Episode(explicit=explicit)


@pytest.mark.parametrize(
    ("front", "warning"),
    [
        ("episode: the last", "episode: 'the last' is not a number; write, for example, 12"),
        ("episode_type: live", "episode_type: 'live' is not a type of episode; write full, trailer or bonus"),
        ("explicit: maybe", "explicit: 'maybe' is neither true nor false"),
        ("transcript: below", "transcript: 'below' is not the web address of a transcript; it is ignored"),
        ("transcript: /t.pdf", "transcript: 'https://example.com/t.pdf' has no known type; write `type`, such as"),
        ("chapters: [{start: 0}]", "chapters: is not the web address of a JSON chapters file"),
        ("chapters: /c.txt", "chapters: is not the web address of a JSON chapters file"),
    ],
)
def test_what_cannot_be_read_is_reported(front, warning):
    """A value that no app understands is left out, with a warning that says what to write."""
    found, warnings = episode(front)
    assert found is None
    assert len(warnings) == 1
    assert warnings[0].startswith(warning)


def test_other_posts_have_no_episode():
    """Without a recording the keys mean something else, and nothing is reported."""
    post = parsed("title: T\nseason: winter\nepisode: pilot\nchapters: many\naudio: /notes.pdf")
    assert (post.episode, [warning for warning in post.warnings if "season" in warning]) == (None, [])


@pytest.mark.parametrize(("written", "seconds"), [("PT31M7S", 1867), ("45 min", 2700), ("1:02:03", 3723), ("1h", 3600)])
def test_durations_are_read(written, seconds):
    """Durations may be written as ISO 8601, with units, or as a clock shows them."""
    assert parse_duration(written) == seconds
