"""Runs a command, and writes its seconds, its seconds of CPU, and its peak memory in MB, as JSON.

    python measured.py FD COMMAND [ARGUMENT...]

FD is the number of an open file. A process begins with the peak memory of the one that has started it (`ru_maxrss`,
kept over `exec` by Linux), so a benchmark that holds a million addresses would measure itself. This program is small.
"""

import json
import os
import sys
import time


def main() -> int:
    """Return the exit code of the command."""
    started = time.perf_counter()
    process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, usage = os.wait4(process, 0)
    values = [time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
    os.write(int(sys.argv[1]), json.dumps(values).encode())
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
