"""The exceptions that Feeds raises on purpose.

FeedsError
  ConfigError              the config file cannot be used          (.path, .line, .key, .reason)
  PostError                one post file cannot be used            (.path, .line, .reason)
  TemplateError            a template cannot be rendered           (.path, .line, .reason)
  StoreError               the database cannot be read or written  (see __cause__)
    StoreUnavailable       its server cannot be reached now        (try again later)
    OtherSiteError         the database is that of another site
  OutputError              a file cannot be written                (.path, .reason)
  CommandError             a command of the config failed          (.command, .reason)
  LinkError                a personal link is not valid            (.is_expired)
  AddressError             not an email address                    (.address, .reason)
  SenderRejected           mail servers reject us as a sender      (fix the settings or the sender's domain)
  MailServerUnavailable    no mail server can be reached           (try again later)
  LockedError              another process works on this site      (try again later)
  PostChangedDuringRead    a post changed while it was read        (try again later)

Modules of `edges` turn exceptions of libraries into these; the command line turns these into exit codes.
"""


class FeedsError(Exception):
    """An error that the user can fix."""

    #: The exit code of the process: 1 if the user must fix something, 3 if it is enough to try again later.
    exit_code = 1

    @property
    def lines(self) -> list[str]:
        """The messages, one line each."""
        return [str(self)]


class _FileError(FeedsError):
    """An error at a line of a file; *line* is None if it concerns the whole file."""

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path, self.line, self.reason = path, line, reason

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


class ConfigError(_FileError):
    """The config file, or a variable that overrides it, cannot be used."""

    def __init__(self, path: str, line: int | None, key: str, reason: str) -> None:
        super().__init__(path, line, f"{key}: {reason}" if key else reason)
        self.args = (path, line, key, reason)
        self.key = key
        #: Further errors of the same file.
        self.others: tuple[ConfigError, ...] = ()

    @property
    def lines(self) -> list[str]:
        """This error and the others, one line each."""
        return [*super().lines, *map(str, self.others)]


class PostError(_FileError):
    """A post file cannot be used; the other posts are published."""


class TemplateError(_FileError):
    """A template cannot be rendered, or its result would not work in mail programs."""


class StoreError(FeedsError):
    """The database cannot be read or written; `__cause__` is the exception of the database driver."""


class StoreUnavailable(StoreError):  # noqa: N818 - nothing here is wrong
    """The server of the database has ended the connection, is starting, or has no connection left."""

    exit_code = 3


class OtherSiteError(StoreError):
    """The database is that of another site; nothing was read for this one, or written."""


class OutputError(FeedsError):
    """A file cannot be written; the previous version of the file is unchanged."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class CommandError(FeedsError):
    """A command that is configured in the settings failed."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(command, reason)
        self.command, self.reason = command, reason

    def __str__(self) -> str:
        return f"{self.command!r} {self.reason}"


class AddressError(FeedsError):
    """A text is not an email address that mail can be sent to."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return f"{self.address!r} is not an email address: {self.reason}"


class LinkError(FeedsError):
    """A personal link of a letter, a mail or a page is not valid; *is_expired*: not any more."""

    def __init__(self, *, is_expired: bool = False) -> None:
        super().__init__(is_expired)
        self.is_expired = is_expired

    def __str__(self) -> str:
        return "the link has expired" if self.is_expired else "the link is not valid"


class SenderRejected(FeedsError):  # noqa: N818 - the servers' word
    """Nothing can be sent until something is fixed: a server rejects the sender, or cannot be trusted."""


class MailServerUnavailable(FeedsError):  # noqa: N818 - nothing here is wrong
    """No mail server can be reached, or all of them answer "try again later" (4xx)."""

    exit_code = 3


class LockedError(FeedsError):
    """Another process works on this site, or keeps its database locked."""

    exit_code = 3


class PostChangedDuringRead(FeedsError):  # noqa: N818 - nothing is wrong, only to be repeated
    """A post changed between two reads of one publish run."""

    exit_code = 3

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: keeps changing while it is read; try again when it no longer changes"
