"""Whatever the code does, it ends: within its time, and its memory."""

import os
import sys
import threading
import time
import tracemalloc
import unittest
from pathlib import Path
from unittest.mock import patch

from odoo.tests import BaseCase, tagged
from odoo.tools import safe_eval

from odoo.addons.doorman.policy.refusal import Refusal

from .. import python_run
from ..python_process import Process, no_memory
from .python_common import P, PythonCase

SECONDS, MEMORY = 1.5, 128 * 1024 * 1024
# What starting and ending a process may take beyond it, on a machine that is busy.
MORE = 4
GROWS = "n = [1]\n"
NESTED = "a = ()\nfor i in range(3 * 10 ** 5):\n    a = (a,)\n"
# Stopped, as too long or as too much: which comes first is the machine's.
STOPPED = (
    # Loops: of lines, of one line, and of C alone.
    "while True:\n    pass",
    "while True: pass",
    "n = [0]\nfor x in n: n.append(x)",
    "def f():\n    while True: n = 1\nf()",
    "def f(n): return n and f(n - 1) + f(n - 1)\nresult = f(200)",
    "result = [1 for x in range(10 ** 12) if x < 0]",
    "result = {x: 1 for x in range(10 ** 12) if x < 0}",
    "result = sum(1 for x in range(10 ** 12))",
    "result = any(x < 0 for x in range(10 ** 12))",
    "result = all(x >= 0 for x in range(10 ** 12))",
    "result = sum(range(10 ** 12))",
    "result = max(range(10 ** 12))",
    "result = min(10 ** 12 - x for x in range(10 ** 12))",
    "result = 1.5 in range(10 ** 12)",
    "result = len([*filter(None, [0] * 10 ** 6)] or [max(range(10 ** 12))])",
    "result = reduce(max, range(10 ** 12))",
    "result = reduce(lambda a, b: a * b, range(1, 10 ** 7))",
    GROWS + "result = any(map(n.append, n))",
    GROWS + "result = [*map(n.append, n)]",
    GROWS + "result = list(filter(n.append, n))",
    GROWS + "result = dict(zip(n, map(n.append, n)))",
    GROWS + "n.extend(map(n.append, n))",
    GROWS + "result = ''.join(str(n.append(x)) for x in n)",
    # By way of what calls the code back.
    "result = sorted([1, 2], key=lambda x: max(range(10 ** 12)))",
    f"result = {P}.search([]).filtered(lambda p: max(range(10 ** 12)))",
    f"result = {P}.search([]).mapped(lambda p: max(range(10 ** 12)))",
    f"result = {P}.browse(range(10 ** 12))",
    f"result = {P}.search([('id', 'in', range(10 ** 12))])",
    f"result = {P}.search([('name', '=', 'x' * 10 ** 8)])",
    f"{P}.create([{{'name': 'x' * 10 ** 5}}] * 10 ** 5)",
    # Numbers.
    "result = 10 ** 10 ** 8",
    "n = 10 ** 9\nresult = 3 ** n",
    "n = 7\nwhile n: n *= n",
    "result = 1 << 10 ** 11",
    "n = int('9' * 4000)\nresult = n ** 10 ** 6",
    "n = 2\nn **= 10 ** 12",
    # Formats.
    "result = '%1000000000d' % 1",
    "result = '%*d' % (10 ** 9, 1)",
    "result = '%.1000000000f' % 1",
    "result = f'{1:1000000000}'",
    "result = f'{1.5:.1000000000f}'",
    "result = f'{1:>{10 ** 9}}'",
    # Texts, lists and the rest.
    "result = 'x' * 10 ** 10",
    "result = 'x' * 10 ** 9",
    "x = 'x'\nwhile x: x += x",
    "result = 'a'.ljust(10 ** 9)",
    "result = 'a'.rjust(10 ** 9)",
    "result = 'a'.center(10 ** 9)",
    "result = 'a'.zfill(10 ** 9)",
    "result = '\\t'.expandtabs(10 ** 9)",
    "result = ('x' * 10 ** 6).replace('x', 'y' * 10 ** 4)",
    "result = ('x' * 10 ** 4).join(['y'] * 10 ** 6)",
    "result = ('x' * 10 ** 4).translate({120: 'y' * 10 ** 6})",
    "result = ('x ' * 10 ** 7).split()",
    "result = bytes(10 ** 9)",
    "result = [0] * 10 ** 10",
    "result = (0,) * 10 ** 9",
    "result = list(range(10 ** 8))",
    "result = sorted(range(10 ** 9))",
    "result = set(range(10 ** 9))",
    "result = dict.fromkeys(range(10 ** 9))",
    "n = [0]\nwhile n: n += n",
    "n = [0]\nwhile n: n[:0] = n",
    "raise Exception('x' * 10 ** 10)",
    # What ends the process itself: Python does not count how deep a hash goes.
    NESTED + "result = {a: 1}",
    # What is told of a small value may be large.
    "a = [0] * 1000\nb = [a] * 1000\nresult = [b] * 1000",
    "result = 'x' * 5_000_000",
)
GOOD = (
    ("result = 10 ** 20", "100000000000000000000"),
    ("n = 10\nresult = n ** n", "10000000000"),
    ("n = 9\nn **= n", ""),
    ("result = 1 << 70", "1180591620717411303424"),
    ("result = sum(range(2_000_000))", "1999999000000"),
    ("result = len(list(range(10 ** 6)))", "1000000"),
    ("result = max(range(10)), min([3, 1])", "[9, 1]"),
    ("result = sorted(['b', 'A'], key=lambda x: x.lower())", '["A", "b"]'),
    ("result = sorted([1, 3, 2], reverse=True)", "[3, 2, 1]"),
    ("result = ', '.join(str(x) for x in range(3))", "0, 1, 2"),
    ("result = 'a,b'.split(','), 'a'.upper(), ' a '.strip()", '[["a", "b"], "A", "a"]'),
    ("result = 'a'.ljust(3) + '|' + '7'.zfill(3) + 'b'.center(3)", "a  |007 b "),
    ("result = 'aXb'.replace('X', '-'), 'abc'[::-1]", '["a-b", "cba"]'),
    ("result = 'é'.encode('latin-1').decode('cp1252')", "é"),
    ("result = '\\N{BULLET}'", "•"),
    ("result = '%05.2f|%s|%d%%' % (1.5, 'x', 7)", "01.50|x|7%"),
    ("result = f'{1234.5:,.2f} {7:03d} {\"x\":>3}'", "1,234.50 007   x"),
    ("result = [x * y for x in range(3) for y in range(3) if x < y]", "[0, 0, 2]"),
    ("result = {x: x * x for x in range(3)}", '{"0": 0, "1": 1, "2": 4}'),
    ("result = len({x % 3 for x in range(9)})", "3"),
    ("result = list(map(lambda x: x + 1, filter(None, [0, 1])))", "[2]"),
    ("result = list(zip([1, 2], 'ab')), list(enumerate('a'))", '[[[1, "a"]'),
    ("result = reduce(lambda a, b: a + b, [1, 2, 3])", "6"),
    ("result = any([0, 1]), all([0, 1]), round(2.567, 1)", "[true, false, 2.6]"),
    ("result = divmod(7, 2), abs(-3), ord('a'), chr(98)", '[[3, 1], 3, 97, "b"]'),
    ("result = isinstance(1, int), bool(0), int('7'), float('1.5')", "[true, false"),
    (
        "def fib(n):\n"
        "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "result = fib(15)",
        "610",
    ),
    ("result = datetime.date(2026, 2, 28) + datetime.timedelta(days=1)", "2026-03-01"),
    (
        "result = datetime.datetime(2026, 1, 2, 3, 4).strftime('%d.%m. %H:%M')",
        "02.01. 03:04",
    ),
    ("result = datetime.datetime.strptime('2026-01-02', '%Y-%m-%d').year", "2026"),
    (
        "result = (datetime.datetime.now() - datetime.datetime(2020, 1, 1)).days > 0",
        "true",
    ),
    ("result = datetime.date.today().isoformat()", "20"),
    (
        "result = datetime.date(2026, 1, 31) + relativedelta(months=1, day=1)",
        "2026-02-01",
    ),
    ("result = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)", "+00:00"),
    (f"result = {P}.search([('name', '=', 'Acme')]).create_date.year > 2000", "true"),
    (f"result = {P}.search([], limit=1).read(['create_date'])[0]['id'] > 0", "true"),
    (
        "day = datetime.datetime(2020, 1, 1)\n"
        f"result = {P}.search([('create_date', '>', day)]).ids",
        "[",
    ),
    (f"result = {P}.search_count([('id', 'in', (1, 2))]) >= 0", "true"),
    (f"result = [p.name for p in {P}.search([('name', '=', 'Acme')])]", '["Acme"]'),
    (f"result = {P}.search([]).sorted(lambda p: p.id, reverse=True)[0].id > 0", "true"),
    (
        f"result = {P}.formatted_read_group([], ['country_id'])[0]['__count'] > 0",
        "true",
    ),
    ("result = len('x' * 10 ** 7)", "10000000"),
    ("result = len([0] * 10 ** 6)", "1000000"),
)
# What Python has and safe_eval has not.
NOT_THERE = (
    *("open", "iter", "next", "type", "getattr", "setattr", "hasattr", "vars", "dir"),
    *("object", "super", "memoryview", "bytearray", "print", "input", "id", "hash"),
    *("globals", "locals", "eval", "exec", "compile", "breakpoint", "BaseException"),
    *("known_import", "sys", "os", "json", "ask", "Environment"),
)


class Watched(Process):
    """Keeps each that was started."""

    all = []

    def __init__(self, *args):
        super().__init__(*args)
        self.all.append(self)


def alone(code):
    """Run code that asks for nothing, as python_run does, without a database.

    :return: its result
    """
    with Process(SECONDS, MEMORY) as process:
        while True:
            question, facts = process.asked()
            if question == "done":
                return facts["result"]
            if question == "no_memory":
                raise no_memory()
            if question != "code":
                raise ValueError(f"{question}: {facts}")
            process.answer({"code": code, "user": {}})


@tagged("post_install", "-at_install")
class TestPythonEnds(PythonCase):
    def setUp(self):
        super().setUp()
        for name, value in (
            ("SECONDS", SECONDS),
            ("MEMORY", MEMORY),
            ("Process", Watched),
        ):
            patcher = patch.object(python_run, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        Watched.all.clear()

    def test_stopped(self):
        for code in STOPPED:
            with self.subTest(code=code):
                since = time.monotonic()
                answer = self.python(code)
                took = time.monotonic() - since
                kind = self.kind_of(answer)
                self.assertIn(kind, ("odoo_timeout", "too_large"), answer)
                self.assertLess(took, SECONDS + MORE)
        self.assertEqual(len(Watched.all), len(STOPPED))
        for each in Watched.all:
            self.assertIsNotNone(each.process.returncode)

    def test_what_odoo_itself_holds_stays_small(self):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for code in (
            "result = 'x' * 10 ** 10",
            "result = 'x' * 10 ** 8",
            "a = [[]] * 1000\nb = [a] * 1000\nresult = [b] * 1000",
            GROWS + "result = [*map(n.append, n)]",
            f"result = {P}.search([('name', '=', 'x' * 10 ** 8)])",
        ):
            with self.subTest(code=code):
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                self.assertIn(self.python_kind(code), ("odoo_timeout", "too_large"))
                more = tracemalloc.get_traced_memory()[1] - before
                self.assertLess(more, 40_000_000)

    def test_it_says_which(self):
        for code, says in (
            ("while True: pass", ("took_too_long", "odoo_timeout", "too long")),
            ("result = max(range(10 ** 12))", ("took_too_long", "odoo_timeout", "")),
            ("result = 'x' * 10 ** 9", ("too_much_memory", "too_large", "memory")),
            ("result = 'x' * 5_000_000", ("too_much_memory", "too_large", "result")),
            (NESTED + "result = {a: 1}", ("too_much_memory", "too_large", "stopped")),
        ):
            with self.subTest(code=code):
                error = self.python(code)["error"]
                self.assertEqual((error["code"], error["kind"]), says[:2], error)
                self.assertIn(says[2], error["message"])

    def test_nothing_of_it_is_kept(self):
        made = f"{P}.create({{'name': 'half'}})\n"
        for code in ("while True: pass", "x = 'x' * 10 ** 10", NESTED + "x = {a: 1}"):
            with self.subTest(code=code):
                self.assertIn("error", self.python(made + code))
                self.assertFalse(
                    self.env["res.partner"].search([("name", "=", "half")])
                )

    def test_what_is_good_goes_on(self):
        with patch.object(python_run, "SECONDS", 30):
            for code, says in GOOD:
                with self.subTest(code=code):
                    answer = self.python(code)
                    self.assertIn("value", answer, answer)
                    self.assertIn(says, answer["value"]["result"])

    def test_the_names_are_those_of_safe_eval(self):
        there = sorted(set(safe_eval._BUILTINS) - {"__import__"})
        self.assertGreater(len(there), 30)
        with patch.object(python_run, "SECONDS", 30):
            code = f"result = len([{', '.join(there)}])"
            self.assertEqual(self.python(code)["value"]["result"], str(len(there)))
            for name in NOT_THERE:
                with self.subTest(name):
                    self.assertNotIn(name, there)
                    message = self.python(f"result = {name}")["error"]["message"]
                    self.assertIn("NameError", message)


@tagged("post_install", "-at_install")
class TestPythonProcess(BaseCase):
    def ends(self, code):
        since = time.monotonic()
        with self.assertRaises(Refusal) as raised:
            alone(code)
        self.assertLess(time.monotonic() - since, SECONDS + MORE)
        return raised.exception.code

    def test_in_threads(self):
        """Several at once: none has a main thread, where alone Python has signals."""
        found, codes = {}, ("while True: pass", "max(range(10 ** 12))", "'x' * 10 ** 9")
        threads = [
            threading.Thread(
                target=lambda code=code: found.update({code: self.ends(code)})
            )
            for code in codes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * (SECONDS + MORE))
        self.assertEqual(
            [found.get(code) for code in codes],
            ["took_too_long", "took_too_long", "too_much_memory"],
        )

    def test_one_that_does_not_start(self):
        with (
            patch("odoo.addons.doorman_code.python_process.SANDBOX", Path("/no/such")),
            self.assertRaisesRegex(RuntimeError, "did not start"),
        ):
            alone("result = 1")

    def test_what_asks_is_not_trusted(self):
        """The process itself, were it taken over, gets no further than its code."""
        deep = b'["done",{"result":' + b"[" * 60 + b"]" * 60 + b"}]"
        endless = b"[" * 200_000
        for told, code in (
            ((4_000_001).to_bytes(4, "big"), "too_much_memory"),
            (len(deep).to_bytes(4, "big") + deep, "nested_too_deeply"),
            (len(endless).to_bytes(4, "big") + endless, "nested_too_deeply"),
        ):
            with (
                self.subTest(code=code, told=told[:20]),
                self.assertRaises(Refusal) as raised,
                Process(30, MEMORY) as process,
            ):
                process.asked()
                process.process.stdout.close()
                process.process.stdout = _Told(told)
                process.asked()
            self.assertEqual(raised.exception.code, code)

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_what_it_has(self):
        """Neither Odoo's connections nor its environment, and no way to open a file."""
        with (
            patch.dict(os.environ, {"PGPASSWORD": "geheim"}),
            Process(30, MEMORY) as process,
        ):
            self.assertEqual(process.asked(), ("code", {}))
            here = Path("/proc") / str(process.process.pid)
            self.assertEqual({p.name for p in (here / "fd").iterdir()}, {"0", "1", "2"})
            self.assertNotIn(b"geheim", (here / "environ").read_bytes())
            limits = {
                line[:25].strip(): line[25:].split()[:2]
                for line in (here / "limits").read_text().splitlines()[1:]
            }
        self.assertEqual(limits["Max address space"], [str(MEMORY)] * 2)
        self.assertEqual(limits["Max open files"], ["0", "0"])
        self.assertEqual(limits["Max file size"], ["0", "0"])
        self.assertEqual(limits["Max cpu time"], ["31", "32"])

    def test_good_code_has_all_of_its_time(self):
        self.assertEqual(alone("result = sum(x for x in range(10))"), 45)
        self.assertIsNone(alone("x = 1"))


class _Told:
    """A pipe out of which comes what was made up."""

    def __init__(self, told):
        self.left = told

    def read(self, size):
        found, self.left = self.left[:size], self.left[size:]
        return found

    def close(self):
        pass
