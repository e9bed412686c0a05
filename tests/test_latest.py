"""A cache of results of which only the last version is of use."""

from feeds.latest import keep_latest


def test_a_result_is_reused_until_there_is_another_version():
    """The same arguments give the cached result; another version takes its place, and the old one is made again."""
    calls = []
    render = keep_latest(lambda path, version: calls.append((path, version)) or f"{path}{version}", of=0, size=2)
    assert [render("a", 1), render("a", 1), render("b", 1), render("a", 2), render("a", 1)] == [
        "a1",
        "a1",
        "b1",
        "a2",
        "a1",
    ]
    assert calls == [("a", 1), ("b", 1), ("a", 2), ("a", 1)]


def test_the_key_that_was_used_longest_ago_is_dropped():
    """Above its size the cache drops the result that was used longest ago."""
    calls = []
    render = keep_latest(lambda text, base: calls.append(base) or text, of=1, size=2)
    for base in ("a", "b", "a", "c", "a", "b"):
        render("x", base)
    assert calls == ["a", "b", "c", "b"]
