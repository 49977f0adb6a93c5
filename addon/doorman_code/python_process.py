"""The process that a piece of code has to itself, as Odoo sees it.

    Odoo ── the code, answers ──> sandbox ── questions, the result ──> Odoo

Nothing within a process stops one call of C code (``max(range(10**12))``, ``"x" * n``,
``any(map(n.append, n))``): a signal waits until it is over, and a thread gets none at
all. Another process is ended by the kernel, in whatever it is, and has no more memory
than it is given. So this holds alike in a worker and in a thread, for whatever code:
endless loops, on one line or in C; texts, lists and numbers without end; formats of a
gigabyte; recursion that Python does not count. What it does not end: a step, which is
Odoo's and PostgreSQL's, with their own limits. The time of steps counts all the same.
"""

import contextlib
import json
import os
import pickle
import subprocess
import sys
import threading
from datetime import date, datetime
from pathlib import Path

from odoo.addons.doorman.policy.json_depth import too_deep
from odoo.addons.doorman.policy.refusal import Refusal

from .words import _lt

SANDBOX = Path(__file__).with_name("sandbox")
# Bytes of one question, or of the result: what Odoo has to hold for it is more.
MAX_TOLD, MAX_DEEP = 4_000_000, 40
# Without these, a Python that lies elsewhere does not start. Nothing else of Odoo's
# environment, which may hold passwords, is the code's.
ENVIRONMENT = ("LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
PLAIN = (bool, int, float, str, bytes, date, datetime, type(None))


class Process:
    """One run, as a context: however it is left, the process is gone.

    :param seconds: after which it is ended, from now on
    :param int memory: bytes that it may have (on Linux)
    """

    def __init__(self, seconds, memory):
        self._late = self._heard = False
        kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-W", "ignore", str(SANDBOX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
        )
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()
        # Only if Odoo itself is gone is it the kernel that looks at the time.
        start = {"seconds": int(seconds) + 1, "memory": memory}
        self._start = start | {"paths": [path for path in sys.path if path]}

    def __enter__(self):
        try:
            self.answer(self._start)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        self._timer.cancel()
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.process.wait()

    def _end(self):
        self._late = True
        self.process.kill()

    def answer(self, value):
        """Answer what was asked."""
        told = pickle.dumps(_plain(value), protocol=4)
        try:
            self.process.stdin.write(len(told).to_bytes(4, "big") + told)
            self.process.stdin.flush()
        except OSError as exc:
            raise self._over() from exc

    def asked(self):
        """Wait for what the code asks. It is as little to be trusted as the code.

        :return: the name of the question, and its facts
        :raise Refusal: if the time or the memory is used up
        """
        size = int.from_bytes(self._read(4), "big")
        if size > MAX_TOLD:
            raise Refusal(
                "too_much_memory",
                _lt(
                    "One step or the result has more than %(most)s bytes.",
                    most=MAX_TOLD,
                ),
                _lt("Do less at a time."),
            )
        told = self._read(size)
        self._heard = True
        try:
            question, facts = json.loads(told)
            deep = too_deep(facts, MAX_DEEP)
        except RecursionError:
            deep = True
        if deep:
            raise Refusal("nested_too_deeply", _lt("A value is nested too deeply."))
        return question, facts

    def _read(self, size):
        found = self.process.stdout.read(size)
        if len(found) < size:
            raise self._over()
        return found

    def _over(self):
        if self._late:
            return Refusal(
                "took_too_long",
                _lt("The code took too long and was stopped; nothing was changed."),
                _lt("Do less at a time."),
            )
        if not self._heard:
            return RuntimeError(f"{sys.executable} did not start {SANDBOX}")
        return no_memory()


def no_memory():
    return Refusal(
        "too_much_memory",
        _lt("The code used too much memory and was stopped; nothing was changed."),
        _lt("Do less at a time."),
    )


def _plain(value):
    """An answer without classes of Odoo's, which the sandbox does not know."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    # A text that is marked as HTML; one that is translated only now.
    return str.__str__(value) if isinstance(value, str) else str(value)
