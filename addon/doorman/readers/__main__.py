"""Read the text of one file, in a process of its own.

    tools/file_text.py ── the bytes, by stdin ── this process, with limits of its own
                       ── its text, as JSON, by stdout

A file that somebody has sent may be made to hang its reader, or to fill
its memory: a few kB of ZIP or PDF become gigabytes. Such a file ends this process, and
Odoo goes on. Nothing of Odoo is imported here, and nothing of what is read is kept.
"""

import json
import sys

try:
    import resource
except ImportError:  # there is none on Windows: only the time is limited there
    resource = None

# Bytes of memory, seconds of computing.
MEMORY, SECONDS = 768 * 1024 * 1024, 15


def main(kind, most):
    """:param str kind: of file, a key of ``kinds.READERS``
    :param int most: letters that are wanted; what is beyond is not read
    :return: ``{text, more, notes}``, or ``{error}``
    """
    _limit()
    content = sys.stdin.buffer.read()
    # Only now, under the limits.
    import kinds

    return kinds.read(kind, content, most)


def _limit():
    if resource is None:
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),  # it writes no file
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(what, (most, hard))


if __name__ == "__main__":
    answer = main(sys.argv[1], int(sys.argv[2]))
    sys.stdout.buffer.write(json.dumps(answer).encode())
