"""Everything Feeds raises on purpose.

FeedsError
  ConfigError      config.toml cannot be used           (.path, .line, .key, .reason)
  PostError        one post file cannot be used         (.path, .line, .reason)
  TemplateError    a template cannot be rendered        (.path, .line, .reason)
  StoreError       the memory cannot be read or written (see __cause__)
  OutputError      a file cannot be written             (.path, .reason)
  CommandError     a command of the owner failed        (.command, .reason)
  AddressError     this is no mail address              (.address, .reason)
  MailRefused      no server takes our mail             (the settings, or who we are, must be mended)
  MailAway         no server can be reached             (try again later)
  Busy             another publish holds this site      (try again later)
  Changed          a post changed while it was read     (try again later)

Edges turn foreign errors into these; doors turn these into exit codes.
"""


class FeedsError(Exception):
    """Something the user can mend."""

    #: What the process exits with: 1, the user must mend something; 3, try again later.
    exit_code = 1


class _FileError(FeedsError):
    """A fault at a place in a file."""

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path, self.line, self.reason = path, line, reason

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


class ConfigError(_FileError):
    """The configuration cannot be used."""

    def __init__(self, path: str, line: int | None, key: str, reason: str) -> None:
        super().__init__(path, line, f"{key}: {reason}" if key else reason)
        self.args = (path, line, key, reason)
        self.key = key


class PostError(_FileError):
    """One post file cannot be used; the others go on."""


class TemplateError(_FileError):
    """A template cannot be rendered or gives something mail clients would not understand."""


class StoreError(FeedsError):
    """The memory cannot be read or written; `__cause__` has the database's own words."""


class OutputError(FeedsError):
    """A file cannot be written; what stood there before still does."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class CommandError(FeedsError):
    """A command that the owner has named did not do what it should."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(command, reason)
        self.command, self.reason = command, reason

    def __str__(self) -> str:
        return f"{self.command!r} {self.reason}"


class AddressError(FeedsError):
    """This is no address that mail could be sent to."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return f"{self.address!r} is no mail address: {self.reason}"


class SenderRejected(FeedsError):  # noqa: N818 - as the servers say
    """A mail server does not want us, or we not it, whoever the mail is for."""


class MailServerUnavailable(FeedsError):  # noqa: N818 - not a fault of ours
    """No mail server can be reached, or all say "later"."""

    exit_code = 3


class LockedError(FeedsError):
    """Another publish is at work on this site; it will do what this one would have done."""

    exit_code = 3


class PostChangedDuringRead(FeedsError):  # noqa: N818 - not a fault, a reason to look again
    """A post is no longer what was read a moment ago."""

    exit_code = 3

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: keeps changing while it is read; try again when it is at rest"
