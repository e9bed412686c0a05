"""The door: words on the command line -> one job -> exit code.

0 done, warnings included; 1 something the user must mend; 2 wrong usage; 3 try again later.
"""

import gc
import io
import sys


def main() -> None:
    """Run the command line and exit."""
    gc.disable()  # a command is over before there is anything to collect; looking for it takes a third of its time
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title must not end us where the terminal lacks its script
    code = None
    if sys.argv[1:2] == ["publish"]:
        from feeds.cli import fast_path

        code = fast_path.try_fast_publish(sys.argv[2:])
    if code is None:
        from feeds.cli import commands

        code = commands.run()
    sys.exit(code)
