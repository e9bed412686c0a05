"""Pictures of a real site in its letters."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from shutil import rmtree

import pytest
from PIL import Image

from feeds.core.posts.text import parse_html
from feeds.jobs.newsletters.approve import approve_issue
from feeds.jobs.newsletters.send_test import send_test
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked

WEEK = timedelta(days=7)
LETTER = CONFIG + NEWSLETTER.replace("schedule", 'template = "letter"\nschedule')
CONVERT = LETTER.replace("[mail]", '[mail]\npictures = "convert"')


def draw(site, path, size=(1800, 900), mode="RGB", **options):
    """Write a picture into the site's folder."""
    (site.folder / path).parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(site.folder / path, **options)


def images(site, number=1):
    """Return the pictures of an issue's letter."""
    content = (site.folder / f".feeds/outbox/weekly/{number}/desk@example.com.eml").read_bytes()
    letter = message_from_bytes(content, policy=policy.default).get_body("html").get_content()
    return list(parse_html(letter).iter("img"))


PLACES = {
    "beside its post": ("posts/a.png", "a.png"),
    "in a folder beside its post": ("posts/pics/a.png", "pics/a.png"),
    "in the static folder": ("static/a.png", "/a.png"),
}


@pytest.mark.parametrize(("path", "written"), PLACES.values(), ids=PLACES)
def test_the_width_is_that_of_the_file(letter_site, path, written):
    """It is found where the address of the picture leads, and 600 at most."""
    letter_site.configure(LETTER)
    for size, width in (((1800, 900), "600"), ((240, 90), "240")):
        draw(letter_site, path, size)
        letter_site.post("first", f"Words.\n\n![A ferry]({written})\n\n![Elsewhere](https://cdn.example/b.png)\n")
        letter_site.publish()
        assert [(one.get("width"), "width:auto" in one.get("style").split(";")) for one in images(letter_site)] == [
            (width, False),
            ("600", True),
        ]
        for folder in (".feeds", "public"):
            rmtree(letter_site.folder / folder)


@pytest.mark.parametrize(
    ("mode", "is_opaque"), [("RGB", True), ("L", True), ("P", True), ("RGBA", False), ("LA", False)]
)
def test_transparent_parts_are_found_in_the_file(letter_site, mode, is_opaque):
    """The box of a picture without them is dark in a dark scheme, also where pictures are off."""
    letter_site.configure(LETTER)
    draw(letter_site, "posts/a.png", mode=mode)
    letter_site.post("first", "Words.\n\n![A ferry](a.png)\n")
    letter_site.publish()
    assert [one.get("class") for one in images(letter_site)] == ["o" if is_opaque else None]


def test_a_picture_of_the_built_site_is_found(letter_site):
    """Its address is known there only, as that of a generator that gives it another name."""
    letter_site.configure(LETTER + '[posts]\nrendered = "_out"\n')
    draw(letter_site, "_out/assets/a.3f2a.png", (240, 90))
    text = "Words of a post that are long enough to be found in its page, and a picture."
    letter_site.post("first", f"{text}\n\n![F](a.png)\n")
    page = letter_site.folder / "_out/2026/11/20/first/index.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        f'<main><article><h1>first</h1><p>{text}</p><img src="/assets/a.3f2a.png" alt="F"></article></main>'
    )
    letter_site.publish()
    (found,) = images(letter_site)
    assert (found.get("src"), found.get("width")) == ("https://example.com/assets/a.3f2a.png", "240")


@pytest.mark.parametrize(
    ("generator", "path", "written"),
    [("hexo", "source/pics/a.png", "/pics/a.png"), ("zola", "static/pics/a.png", "/pics/a.png")],
)
def test_a_picture_in_the_static_folder_of_a_generator_is_found(letter_site, generator, path, written):
    """Its content is copied to the root of the site."""
    letter_site.configure(f'{LETTER}[posts]\ngenerator = "{generator}"\n')
    draw(letter_site, path, (240, 90))
    letter_site.post("first", f"![A ferry]({written})\n")
    letter_site.publish()
    assert [one.get("width") for one in images(letter_site)] == ["240"]


def test_a_file_of_twice_the_size_is_a_source(letter_site):
    """`a@2x.png` beside `a.png` is used on screens of high density; one of another size is not."""
    letter_site.configure(LETTER)
    draw(letter_site, "posts/a.png", (300, 200))
    draw(letter_site, "posts/a@2x.png", (600, 400))
    draw(letter_site, "posts/b.png", (300, 200))
    draw(letter_site, "posts/b@2x.png", (300, 200))
    letter_site.post("first", "![A](a.png)\n\n![B](b.png)\n")
    letter_site.publish()
    url = "https://example.com/2026/11/20/first/"
    found = images(letter_site)
    assert [one.get("srcset") for one in found] == [f"{url}a@2x.png 2x", None]
    assert [one.getparent().get("href") for one in found] == [f"{url}a@2x.png", f"{url}b.png"]


def converted(site):
    files = site.files("public/newsletters")
    return sorted(name for name in files if name.endswith((".jpg", ".png")) and not name.endswith("/share.png"))


def test_pictures_are_converted_into_the_folder_of_the_issue(letter_site):
    """The letter shows the new ones, which are JPEG or PNG; what mail programs show is left where it is."""
    letter_site.configure(CONVERT)
    draw(letter_site, "posts/fähre 1.webp")
    draw(letter_site, "posts/logo.webp", (300, 200), "RGBA")
    draw(letter_site, "posts/small.png", (300, 200))
    letter_site.post("first", "![F](<fähre 1.webp>)\n\n![L](logo.webp)\n\n![S](small.png)\n")
    report = letter_site.publish()
    assert report.warnings == []
    ferry, logo = converted(letter_site)
    assert re.fullmatch(r"public/newsletters/weekly/1/f-hre-1-[0-9a-f]{12}\.jpg", ferry)
    assert re.fullmatch(r"public/newsletters/weekly/1/logo-[0-9a-f]{12}\.png", logo)
    found = images(letter_site)
    addresses = [one.get("src") for one in found]
    assert addresses[:2] == [f"https://example.com/{path.removeprefix('public/')}" for path in (ferry, logo)]
    assert addresses[2] == "https://example.com/2026/11/20/first/small.png"
    assert [one.get("width") for one in found] == ["600", "300", "300"]
    assert found[0].getparent().get("href").endswith("/first/f%C3%A4hre%201.webp")


def test_lead_images_are_converted(letter_site):
    """The image in the front matter is that of a digest."""
    letter_site.configure(CONVERT.replace('template = "letter"\n', ""))
    draw(letter_site, "static/lead.avif")
    letter_site.post("first", image="/lead.avif", image_alt="A ferry")
    letter_site.publish()
    (path,) = converted(letter_site)
    (image,) = images(letter_site)
    assert image.get("src") == f"https://example.com/{path.removeprefix('public/')}"


def test_a_frozen_issue_keeps_its_files(letter_site):
    """Neither a changed picture nor another run writes or removes one; an issue that waits may get new ones."""
    letter_site.configure(CONVERT)
    draw(letter_site, "posts/a.webp")
    letter_site.post("first", "![F](a.webp)\n")
    letter_site.publish()
    before = letter_site.files("public/newsletters")
    stamps = {name: (letter_site.folder / name).stat().st_mtime_ns for name in before}
    draw(letter_site, "posts/a.webp", (900, 900))
    letter_site.post("second", "![F](/none.webp)\n", date="2026-11-25")
    letter_site.publish()
    assert {name: (letter_site.folder / name).stat().st_mtime_ns for name in before} == stamps
    assert letter_site.files("public/newsletters") == before


def test_a_picture_that_changes_before_approval_gets_another_file(letter_site):
    """The letter that is approved shows the new one, in its own file; the file of the old one stays as it is."""
    letter_site.configure(CONVERT.replace("copy_to", "approve = true\ncopy_to"))
    draw(letter_site, "posts/a.webp")
    letter_site.post("first", "![F](a.webp)\n")
    letter_site.publish()
    (old,) = converted(letter_site)
    before = (letter_site.folder / old).read_bytes()
    draw(letter_site, "posts/a.webp", (900, 900))
    approve_issue(letter_site.config, "weekly", asked()[1])
    (new,) = set(converted(letter_site)) - {old}
    (image,) = images(letter_site)
    assert image.get("src") == f"https://example.com/{new.removeprefix('public/')}"
    assert (letter_site.folder / old).read_bytes() == before


def test_a_test_letter_shows_the_pictures_of_the_posts(letter_site):
    """The converted ones are on the web with the issue, and not before."""
    letter_site.configure(CONVERT)
    draw(letter_site, "posts/a.webp")
    letter_site.post("first", "![F](a.webp)\n")
    send_test(letter_site.config, "weekly", "me@example.org", NOW, asked()[1])
    (content,) = (content for name, content in letter_site.files(".feeds/outbox").items() if name.endswith(".eml"))
    letter = message_from_bytes(content, policy=policy.default).get_body("html").get_content()
    assert "https://example.com/2026/11/20/first/a.webp" in letter
    assert not (letter_site.folder / "public").exists()


def test_a_dry_run_and_the_default_write_no_pictures(letter_site):
    """By default the letter links to the picture of the post."""
    draw(letter_site, "posts/a.webp")
    letter_site.post("first", "![F](a.webp)\n")
    letter_site.configure(CONVERT)
    letter_site.publish(dry_run=True)
    assert not (letter_site.folder / "public/newsletters").exists()
    letter_site.configure(LETTER)
    letter_site.publish()
    assert converted(letter_site) == []
    (image,) = images(letter_site)
    assert image.get("src") == "https://example.com/2026/11/20/first/a.webp"


def test_a_picture_that_cannot_be_converted_is_reported_and_stays(letter_site):
    """The issue goes out with the picture of the post."""
    letter_site.configure(CONVERT)
    draw(letter_site, "posts/a.png")
    whole = (letter_site.folder / "posts/a.png").read_bytes()
    (letter_site.folder / "posts/a.png").write_bytes(whole[: len(whole) // 2])
    letter_site.post("first", "![F](a.png)\n")
    report = letter_site.publish()
    (warning,) = report.warnings
    assert warning.startswith("posts/a.png: cannot be converted: ")
    assert [issue.state for issue in report.issues] == ["sent"]
    (image,) = images(letter_site)
    assert image.get("src").endswith("/a.png")


def test_check_knows_the_files_of_the_next_issue(letter_site, feeds):
    """Format, weight and damage are reported; with conversion only the damage is left."""
    letter_site.configure(LETTER)
    draw(letter_site, "posts/a.webp", (300, 200))
    draw(letter_site, "posts/large.png", (100, 100))
    with (letter_site.folder / "posts/large.png").open("ab") as file:
        file.write(bytes(1_100_000))
    letter_site.post("first", "![A ferry](a.webp)\n\n![A harbour](large.png)\n")
    found = feeds("check").stdout + feeds("check").stderr
    assert "1 image is WebP, such as 'https://example.com/2026/11/20/first/a.webp'" in found
    assert "the images take 1,1" in found
    letter_site.configure(CONVERT)
    assert "WebP" not in feeds("check").stdout
    assert not (letter_site.folder / "public/newsletters").exists()


DAMAGED = {
    "a picture that is not one": ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 damaged", 1),
    "a page": ("a.png", b"<html>404</html>", 1),
    "a part of a header": ("a.JPG", b"\xff\xd8\xff", 1),
    "a drawing": ("a.svg", b"<svg/>", 0),
}


@pytest.mark.parametrize(("name", "content", "number"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_picture_is_reported_where_pictures_are_converted(letter_site, feeds, name, content, number):
    """The warning names the file; a format that is never converted gives none."""
    letter_site.configure(CONVERT)
    (letter_site.folder / "posts" / name).write_bytes(content)
    letter_site.post("first", f"Words.\n\n![A ferry]({name})\n")
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert done.stdout.count(f"posts/{name}\tcannot be read, so it is not converted; save the") == number


def test_an_empty_alt_of_a_converted_picture_names_the_original(letter_site, feeds):
    """The warning names the post and the file that it has, not the converted one."""
    letter_site.configure(CONVERT)
    draw(letter_site, "posts/pics/ferry.webp")
    letter_site.post("first", "Words.\n\n![](pics/ferry.webp)\n")
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert "pics/ferry.webp' in posts/first.md has an empty alt" in done.stdout
    assert "ferry-" not in done.stdout


FIRST = {
    "as it is written": ("/a.webp", "Words.\n\n![A ferry](/a.webp)\n", 1),
    "in the largest size": ("/a.webp", '<img src="/a.webp?w=600" alt="A ferry">\n\nWords.\n', 1),
    "relative and in a link": ("a.webp", "Words.\n\n[![A ferry](a.webp)](/x)\n", 1),
    "another one first": ("/a.webp", "![Elsewhere](/b.png)\n\n![A ferry](/a.webp)\n", 3),
    "no picture in the text": ("/a.webp", "Words.\n", 1),
}


@pytest.mark.parametrize("pictures", ["link", "convert"])
@pytest.mark.parametrize(("image", "text", "count"), FIRST.values(), ids=FIRST)
def test_a_lead_image_that_begins_the_pictures_of_a_whole_post_is_shown_once(letter_site, pictures, image, text, count):
    """The letter and the issue's page show it in the text, and above the text only if it is not the first one there."""
    letter_site.configure(CONVERT.replace('"convert"', f'"{pictures}"'))
    draw(letter_site, "static/a.webp", (900, 600))
    letter_site.post("first", text, image=image)
    letter_site.publish()
    assert len(images(letter_site)) == count
    page = (letter_site.folder / "public/newsletters/weekly/1/index.html").read_text("utf-8")
    assert page.count("<img") == count
    assert '<meta property="og:image" content="https://example.com/' in page
