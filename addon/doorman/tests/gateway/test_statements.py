from unittest.mock import patch

from odoo.sql_db import Cursor
from odoo.tests import tagged

from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestStatements(WriteCase):
    """What a change costs: a statement takes longer than anything else that Doorman
    does for it (docs/measured.md)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings._inside().undo_days = 7

    def beside(self, governed, plain):
        """:return: the statements of the one that the other has not, once every cache
        is filled"""
        own = set(self._asked(plain))
        return [
            statement for statement in self._asked(governed) if statement not in own
        ]

    def _asked(self, run):
        run()
        self.env.flush_all()
        self.env.invalidate_all()
        execute, found, own = Cursor.execute, [], self.env.cr

        def noting(cr, query, *args, **kwargs):
            if cr is own:
                found.append(" ".join(str(getattr(query, "code", query)).split()))
            return execute(cr, query, *args, **kwargs)

        with patch.object(Cursor, "execute", noting):
            run()
            self.env.flush_all()
        return found

    def check(self, found, *expected):
        told = "\n".join(found)
        self.assertEqual(len(found), len(expected), told)
        for statement, beginning in zip(found, expected, strict=True):
            self.assertTrue(statement.startswith(beginning), told)

    def test_an_update(self):
        fence, refs = self.fence(), iter("abcdefgh")
        acme = self.acme.with_env(self.env(user=self.people["user"].id, context={}))

        def by_doorman():
            answer = self.write(self.acme, {"ref": next(refs)}, fence=fence)
            self.assertTrue(answer["value"]["changed"])

        self.check(
            self.beside(by_doorman, lambda: acme.write({"ref": next(refs)})),
            "SAVEPOINT doorman; SELECT fence",
            # Whether it exists, and what is there before; what is there after.
            'SELECT "id", "ref"',
            'SELECT "id", "ref"',
            "INSERT INTO doorman_undo",
            "RELEASE SAVEPOINT doorman; INSERT INTO doorman_audit",
        )

    def test_a_new_record(self):
        """Of a model without buttons: whether they show is asked of the record."""
        fence, names = self.fence(), iter("abcdefgh")
        model = "res.partner.category"
        env = self.env(user=self.people["user"].id, context={})

        def by_doorman():
            answer = self.create({"name": next(names)}, model=model, fence=fence)
            self.assertTrue(answer["value"]["names"])

        self.check(
            self.beside(by_doorman, lambda: env[model].create({"name": next(names)})),
            "SAVEPOINT doorman; SELECT fence",
            # Whether it is there in the end, and its links.
            "SELECT %s::int",
            "INSERT INTO doorman_undo",
            "RELEASE SAVEPOINT doorman; INSERT INTO doorman_audit",
        )
