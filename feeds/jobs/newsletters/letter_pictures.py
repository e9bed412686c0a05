"""Find the pictures of a letter among the files of this machine, and convert those that mail programs do not show."""

import re
from posixpath import basename, splitext
from urllib.parse import unquote, urlsplit

from feeds.core.newsletters.lint import Origin
from feeds.core.newsletters.pictures import Picture, as_written
from feeds.edges.files.convert_picture import ConvertedPicture, convert_picture, needs_conversion
from feeds.edges.files.picture_files import is_damaged, read_picture
from feeds.errors import FeedsError
from feeds.jobs.site import Site
from feeds.model import PictureFile, Post

_NOT_IN_NAME = re.compile(r"[^\w-]+", re.ASCII)
_LONGEST_NAME = 40


class LetterPictures:
    """Finds the pictures of one issue. Those of other hosts are left as they are: nothing is requested."""

    def __init__(self, site: Site, folder: str | None) -> None:
        """*folder* is that for converted pictures, below `public/`; None converts none."""
        self._site, self._folder = site, folder
        self._converted: dict[str, bytes] = {}
        #: The files of the pictures that were found, by their address in the letter.
        self.files: dict[str, PictureFile] = {}
        #: The pictures as they were written, and their posts, by their address in the letter.
        self.origins: dict[str, Origin] = {}
        #: Why pictures are not converted, one line for each.
        self.problems: dict[str, str] = {}

    @property
    def converts(self) -> bool:
        """True if pictures are converted."""
        return self._folder is not None

    def find(self, url: str, post: Post | None = None) -> Picture:
        """Return the picture at *url* as *post*, or a text without a post, shows it."""
        picture = self._find(url, post)
        self.origins.setdefault(picture.url, self._origin(url, post))
        return picture

    def _origin(self, url: str, post: Post | None) -> Origin:
        folder = self._site.settings.posts.folder.rstrip("/")
        return Origin(url, f"{folder}/{post.path}" if post else "")

    def _find(self, url: str, post: Post | None) -> Picture:
        file = self._file(url, post)
        if file is None:
            return as_written(url)
        double = self._double(url, file, post)
        if self._folder is not None and needs_conversion(file) and (converted := self._convert(file)):
            return self._add_converted(url, double or url, converted)
        self.files[url] = file
        return Picture(
            url=url,
            full_url=double or url,
            width=file.width,
            height=file.height,
            url_2x=double,
            has_no_alpha=file.is_opaque,
        )

    def write(self) -> None:
        """Write the converted pictures that are not in `public/` yet. One that is there belongs to a frozen issue.

        Raises:
            OutputError: one cannot be written.
        """
        for path, content in self._converted.items():
            if not self._site.public.has(path):
                self._site.public.write(path, content)

    def _file(self, url: str, post: Post | None) -> PictureFile | None:
        """Return the local file of the picture at *url*; None if it is not a picture of this site that can be read."""
        path = self._site.files.path(url, post.url if post else "", post.path if post else "")
        file = read_picture(path) if path else None
        if path and file is None and self.converts and is_damaged(path):
            self.problems[path] = (
                f"{self._relative(path)}: cannot be read, so it is not converted; save the picture again"
            )
        return file

    def _relative(self, message: str) -> str:
        """Return a message that begins with the path of a file, without the site's folder."""
        return message.removeprefix(f"{self._site.config.folder}/")

    def _double(self, url: str, file: PictureFile, post: Post | None) -> str:
        """Return the address of `name@2x.jpg`, if that is beside the file and is twice as large; else empty."""
        stem, suffix = splitext(url)
        double = f"{stem}@2x{suffix}"
        found = self._file(double, post)
        return double if found and found.width >= 2 * file.width - 1 and found.height >= 2 * file.height - 1 else ""

    def _convert(self, file: PictureFile) -> ConvertedPicture | None:
        """Return a converted picture; None if it stays as it is, which is a problem unless it is an animation."""
        try:
            return convert_picture(file)
        except FeedsError as e:
            self.problems[file.path] = self._relative(str(e))
            return None

    def _add_converted(self, url: str, full_url: str, converted: ConvertedPicture) -> Picture:
        name = _NOT_IN_NAME.sub("-", splitext(unquote(basename(urlsplit(url).path)))[0])[:_LONGEST_NAME].strip("-")
        path = f"{self._folder}{name or 'picture'}-{converted.digest}{converted.suffix}"
        self._converted[path] = converted.content
        address, (width, height) = self._site.public_url(path), (converted.width, converted.height)
        size = len(converted.content)
        self.files[address] = PictureFile(path=path, format=converted.format, width=width, height=height, size=size)
        return Picture(url=address, full_url=full_url, width=width, height=height)
