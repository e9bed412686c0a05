"""The command line: parses arguments, calls one job, prints its result, sets the exit code.

Exit codes: 0 done, warnings included; 1 something has to be fixed; 2 wrong usage; 3 try again later.
"""

import gc
import io
import sys


def main() -> None:
    """Run the command line and exit."""
    if sys.getfilesystemencoding() != "utf-8":
        sys.exit(
            f"error: file names are in {sys.getfilesystemencoding()} here; set PYTHONUTF8=1, and Feeds reads UTF-8"
        )
    gc.disable()  # a command ends before there is anything to collect, and looking for it takes a third of the time
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A title in a script that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="backslashreplace")
    code = None
    if sys.argv[1:2] == ["publish"]:
        from feeds.cli import fast_path

        code = fast_path.try_fast_publish(sys.argv[2:])
    if code is None:
        from feeds.cli import commands

        code = commands.run()
    sys.exit(code)
