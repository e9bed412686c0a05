"""Names and titles as parts of an address, as generators make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import slugs

#: The examples of the generators' own documentation and tests, and names of the same kind.
MADE = {
    (slugs.jekyll_part, "The _config.yml file"): "The-_config.yml-file",
    (slugs.jekyll_part, "Über uns & mehr (neu)"): "Über-uns-&-mehr-(neu)",
    (slugs.jekyll_slug, "The _config.yml file"): "the-config-yml-file",
    (slugs.jekyll_slug, "Vim-8.1-released"): "vim-8-1-released",
    (slugs.hugo_part, "Vim (text editor)"): "vim-text-editor",
    (slugs.hugo_part, "C# & F#: what's new?"): "c#-f#-whats-new",
    (slugs.hugo_part, "a - b  -  c"): "a-b-c",
    (slugs.hugo_part, "sin%e2%80%8a 100% sure"): "sin%e2%80%8a-100-sure",
    (slugs.hugo_part, "手紙 と 絵"): "手紙-と-絵",
    (slugs.hugo_permalink_part, "What's new in C++ & C#?"): "whats-new-in-c-c",
    (slugs.hugo_permalink_part, "(Paren) + plus, comma"): "paren--plus-comma",
    (slugs.hugo_permalink_part, "sin%e2%80%8a-%e2%80%8aready"): "sin-ready",
    (slugs.ascii_part, "Rust-1.88.0"): "rust-1-88-0",
    (slugs.ascii_part, "日本"): "ri-ben",
    (slugs.ascii_part, "--Straße_und Weg--"): "strasse-und-weg",
    (slugs.pelican_title, "this is a test"): "this-is-a-test",
    (slugs.pelican_title, "this-        is- a test"): "this-is-a-test",
    (slugs.pelican_title, "What's <em>new</em> in C++?"): "whats-new-in-c",
    (slugs.pelican_title, "Østre Ærø, Łódź"): "ostre-aero-lodz",
    (slugs.pelican_title, "日本語"): "ri-ben-yu",
    (slugs.hexo_part, "Hello World (2)"): "Hello-World-2",
    (slugs.hexo_title, "Crème brûlée: ガイド"): "creme-brulee-ガイド",
    (slugs.hexo_title, "Über uns, Straße, Łódź"): "uber-uns-strase-lodz",
    (slugs.astro_part, "Hello, World: v1.2"): "hello-world-v12",
}


@pytest.mark.parametrize(("case", "made"), MADE.items(), ids=[f"{make.__name__} {name}" for make, name in MADE])
def test_a_name_becomes_what_its_generator_makes_of_it(case, made):
    """Each rule gives what the generator gives for its own examples, and for other scripts and signs."""
    make, name = case
    assert make(name) == made


@given(st.text(max_size=40), st.sampled_from([slugs.ascii_part, slugs.pelican_title]))
def test_ascii_rules_give_ascii(name, make):
    """Pelican's and Zola's rules give ASCII without spaces, whatever the name is."""
    assert make(name).isascii()
    assert " " not in make(name)


@given(st.text(max_size=40), st.sampled_from([slugs.hugo_part, slugs.jekyll_slug, slugs.ascii_part, slugs.astro_part]))
def test_a_made_part_stays_as_it_is(name, make):
    """What a rule has made is not changed when the rule is applied again."""
    assert make(make(name)) == make(name)
