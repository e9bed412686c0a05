"""Find the pictures of a letter among the files of this machine."""

from posixpath import splitext

from feeds.core.newsletters.pictures import Picture
from feeds.edges.files.picture_files import read_picture
from feeds.jobs.site import Site
from feeds.model import PictureFile, Post


class LetterPictures:
    """Finds the pictures of one letter. Those of other hosts are left as they are: nothing is requested."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def find(self, url: str, post: Post | None = None) -> Picture:
        """Return the picture at *url* as *post*, or a text without a post, shows it."""
        file = self.file(url, post)
        if file is None:
            return Picture(url=url)
        return Picture(url=url, width=file.width, height=file.height, url_2x=self._double(url, file, post))

    def file(self, url: str, post: Post | None = None) -> PictureFile | None:
        """Return the local file of the picture at *url*; None if it is not a picture of this site that can be read."""
        path = self._site.files.path(url, post.url if post else "", post.path if post else "")
        return read_picture(path) if path else None

    def _double(self, url: str, file: PictureFile, post: Post | None) -> str:
        """Return the address of `name@2x.jpg`, if that is beside the file and is twice as large; else empty."""
        stem, suffix = splitext(url)
        double = f"{stem}@2x{suffix}"
        found = self.file(double, post)
        return double if found and found.width >= 2 * file.width - 1 and found.height >= 2 * file.height - 1 else ""
