from contextlib import suppress
from unittest.mock import patch

import psycopg2

from odoo.sql_db import Cursor
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from ...policy.late_savepoint import late_savepoint


class _Stop(Exception):
    pass


# Not assertRaises: Odoo's sets a savepoint of its own.
stopped = suppress(_Stop)


@tagged("post_install", "-at_install")
class TestLateSavepoint(TransactionCase):
    def setUp(self):
        super().setUp()
        self.cr = self.env.cr
        self.cr.execute("CREATE TEMPORARY TABLE late (n int)")
        self.said = []
        execute, own = Cursor.execute, self.cr

        def noting(cr, query, *args, **kwargs):
            if cr is own:
                self.said.append(str(getattr(query, "code", query)).split()[0])
            return execute(cr, query, *args, **kwargs)

        self.startPatcher(patch.object(Cursor, "execute", noting))

    def add(self, number):
        self.cr.execute("INSERT INTO late VALUES (%s)", [number])

    def there(self):
        self.cr.execute("SELECT n FROM late ORDER BY n")
        return [n for (n,) in self.cr.fetchall()]

    def test_no_statement_no_savepoint(self):
        with late_savepoint(self.cr):
            pass
        with stopped, late_savepoint(self.cr):
            raise _Stop
        self.assertEqual(self.said, [])
        self.assertNotIn("execute", vars(self.cr))

    def test_the_first_statement_sets_it(self):
        with late_savepoint(self.cr):
            self.add(1)
            self.cr.execute(SQL("SELECT %s", 1))
        self.assertEqual(self.said, ["SAVEPOINT", "INSERT", "SELECT", "RELEASE"])
        self.assertEqual(self.there(), [1])

    def test_it_undoes_all(self):
        self.add(1)
        with stopped, late_savepoint(self.cr):
            self.add(2)
            self.add(3)
            raise _Stop
        self.assertEqual(self.there(), [1])
        self.assertNotIn("execute", vars(self.cr))

    def test_a_statement_that_fails(self):
        for first in (False, True):
            with self.subTest(first=first):
                failed = suppress(psycopg2.errors.UndefinedTable)
                with failed, late_savepoint(self.cr):
                    if not first:
                        self.add(2)
                    self.cr.execute("SELECT * FROM no_such", log_exceptions=False)
                    self.fail("There is no such table.")
                # The transaction goes on, without what was done in it.
                self.assertEqual(self.there(), [])

    def test_one_in_another(self):
        with late_savepoint(self.cr):
            with late_savepoint(self.cr):
                pass
            with stopped, late_savepoint(self.cr):
                self.add(1)  # sets both
                raise _Stop
            self.add(2)
            with late_savepoint(self.cr):
                self.add(3)
        self.assertEqual(self.there(), [2, 3])
        self.assertEqual(self.said.count("SAVEPOINT"), 3)
        with stopped, late_savepoint(self.cr):
            with late_savepoint(self.cr):
                self.add(4)
            raise _Stop
        self.assertEqual(self.there(), [2, 3])

    def test_odoos_own_savepoint_within(self):
        with late_savepoint(self.cr):
            with stopped, self.cr.savepoint(flush=False):
                self.add(1)
                raise _Stop
            self.add(2)
        self.assertEqual(self.there(), [2])

    def test_who_else_stands_in_for_execute(self):
        """As a batch does (controllers/gateway_batch.py)."""
        asked, run = [], self.cr.execute

        def outer(query, params=None, log_exceptions=True):
            asked.append(query)
            return run(query, params, log_exceptions)

        self.cr.execute = outer
        self.addCleanup(vars(self.cr).pop, "execute", None)
        with late_savepoint(self.cr):
            pass
        self.assertIs(self.cr.execute, outer)
        with late_savepoint(self.cr):
            self.add(1)
        self.assertIs(self.cr.execute, outer)
        self.assertEqual(len(asked), 3)
        self.assertEqual(asked[1], "INSERT INTO late VALUES (%s)")
