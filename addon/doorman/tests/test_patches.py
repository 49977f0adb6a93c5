from types import SimpleNamespace
from unittest.mock import patch

import requests

from odoo.tests import BaseCase, tagged

from .. import patches
from ..policy import inverses
from ..policy.change_scope import writing
from .common import DoormanCase

# As the process has it: while a test runs, Odoo puts its own in this place.
SEND = requests.Session.send


@tagged("post_install", "-at_install")
class TestPatches(DoormanCase):
    def test_nothing_is_sent_while_a_change_is_tried(self):
        with (
            writing(self.env, dry_run=True),
            self.assertRaises(requests.exceptions.ConnectionError) as caught,
        ):
            SEND(requests.Session(), None)
        self.assertIn("only try this out", str(caught.exception))

    def test_an_inverse_is_known_while_it_runs(self):
        limit = inverses.Limit(frozenset())
        setattr(self.env.cr, inverses.ATTRIBUTE, limit)
        self.addCleanup(inverses.forget, self.env.cr)
        partner, ran = self.env["res.partner"].new(), []

        def inverse(records):
            ran.append(limit.running)

        field = partner._fields["ref"]
        with patch.object(field, "inverse", inverse):
            limit.inverses.add((partner._name, inverse))
            field.determine_inverse(partner)
        self.assertEqual((ran, limit.running), ([partner], None))


@tagged("post_install", "-at_install")
class TestPatchesElsewhere(BaseCase):
    """In a database without Doorman, of the same process."""

    def test_requests_leave(self):
        sent = []
        send = patches._offline_while_tried(lambda *args, **kw: sent.append((args, kw)))
        send("session", "request", timeout=3)
        self.assertEqual(sent, [(("session", "request"), {"timeout": 3})])

    def test_inverses_run(self):
        ran = []
        run = patches._limited(lambda *args: ran.append(args))
        cr = SimpleNamespace()
        records = SimpleNamespace(_name="res.bank", env=SimpleNamespace(cr=cr))
        run(SimpleNamespace(inverse="_inverse_name"), records)
        self.assertEqual(len(ran), 1)
        self.assertFalse(vars(cr))
