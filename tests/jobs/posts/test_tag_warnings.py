"""What a publish reports of template tags and of links between posts."""


def test_a_kind_of_tags_is_reported_once(site):
    """A tag that cannot be rendered gives one warning, at the first post that has it, with the number of the others."""
    for n in range(3):
        site.post(f"p{n}", f"Words.\n\n{{{{< video{n % 2} 1 >}}}} and {{{{< video{n % 2} 2 >}}}}\n")
    found = [line for line in site.publish().warnings if "cannot be rendered" in line]
    reason = "cannot be rendered without the site's templates; it is left out"
    assert found == [
        f"posts/p0.md:8: {{{{< video0 >}}}} {reason}, also in 1 other post (posts.unknown_tags)",
        f"posts/p1.md:8: {{{{< video1 >}}}} {reason} (posts.unknown_tags)",
    ]
    assert "{{" not in "".join(map(site.read, site.files("public")))
