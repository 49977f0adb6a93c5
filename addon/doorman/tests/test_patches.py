import socket
from types import SimpleNamespace
from unittest.mock import patch

from odoo import _
from odoo.tests import BaseCase, tagged
from odoo.tools.translate import LazyGettext

from .. import patches
from ..policy import ledger, said
from ..policy.change_scope import Trial, writing
from ..policy.refusal import Refusal
from .common import WriteCase


@tagged("post_install", "-at_install")
class TestPatches(WriteCase):
    def test_nothing_leaves_while_a_change_is_tried(self):
        trial = Trial()
        with writing(self.env, trial), socket.socket() as out:
            with self.assertRaisesRegex(ConnectionRefusedError, "only try this out"):
                out.connect(("127.0.0.1", 9))
            with self.assertRaises(ConnectionRefusedError):
                out.connect_ex(("127.0.0.1", 9))
        self.assertTrue(trial.reached_out)

    def test_what_is_no_network_goes_on(self):
        trial = Trial()
        with writing(self.env, trial):
            one, other = socket.socketpair()
            one.send(b"x")
            self.assertEqual(other.recv(1), b"x")
            one.close(), other.close()
        self.assertFalse(trial.reached_out)

    def test_no_cursor_of_its_own_while_a_change_is_tried(self):
        trial = Trial()
        with writing(self.env, trial), self.assertRaises(Refusal):
            self.env.registry.cursor()
        self.assertTrue(trial.reached_out)
        with writing(self.env, None), self.env.registry.cursor() as cr:
            cr.execute("SELECT 1")

    def test_an_inverse_is_known_while_it_runs(self):
        seen = []

        def inverse(records):
            seen.append(ledger.of(records.env.cr).regions[-1].kind)

        field = self.acme._fields["ref"]
        vals = {"ref": "x"}
        with patch.object(field, "inverse", inverse), writing(self.env, Trial()):
            self.acme.write(vals)
            with ledger.asked(self.env, vals):
                self.acme.write(vals)
        self.assertEqual(seen, ["code", "inverse"])

    def test_texts_are_known_while_a_call_runs(self):
        lazy = LazyGettext("%s of them", "some", _module="base")
        with said.noted(None, set):
            texts = [translate("%s left", 5) for translate in (self.env._, _)]
            texts.append(str(lazy))
            self.assertEqual([one.text for one in said.all_said()], texts[::-1])
        self.assertEqual(said.all_said(), [])


@tagged("post_install", "-at_install")
class TestPatchesElsewhere(BaseCase):
    """In a database without Doorman, of the same process."""

    def test_the_network_is_there(self):
        sent = []
        connect = patches._offline(lambda *args: sent.append(args))
        connect(SimpleNamespace(family=socket.AF_INET), ("127.0.0.1", 9))
        self.assertEqual(len(sent), 1)

    def test_inverses_commands_and_links_run(self):
        ran = []
        records = SimpleNamespace(_name="res.bank", env=SimpleNamespace(cr=None))
        field = SimpleNamespace(inverse="_inverse_name", store=True)
        patches._inverses_noted(lambda *args: ran.append(args))(field, records)
        patches._commands_noted(lambda *args: ran.append(args))(field, [(records, [])])
        patches._links_noted(lambda *args: ran.append(args))(field, [(records, [])])
        self.assertEqual(len(ran), 3)

    def test_texts_are_made(self):
        made = patches._texts_noted(lambda *args: args)
        self.assertEqual(made("base", "en_US", "x", ()), ("base", "en_US", "x", ()))
