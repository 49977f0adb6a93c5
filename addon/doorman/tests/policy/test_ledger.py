import time
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.policy import ledger
from odoo.addons.doorman.policy.change_scope import Trial, forget, undoable, writing

from ..common import WriteCase

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


class LedgerCase(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_env = cls.env(user=cls.people["user"].id, context={})
        cls.tag = cls.env["res.partner.category"].create({"name": "Gold"})

    def noted(self, work):
        """Do something as a connection's change.

        :return: the Ledger, closed
        """
        env = self.user_env
        env.flush_all()
        with writing(env, Trial()) as noted:
            work(env)
            env.cr.flush()
            noted.close()
        return noted

    def write(self, records, vals):
        """Write as the tools do: the values are the caller's."""

        def work(env):
            with ledger.asked(env, vals):
                records.with_env(env).write(vals)

        return self.noted(work)

    def told(self, noted):
        """{(model, id): (kind, fields, asked)} of what differs"""
        return {
            (c.model, c.id): (c.kind, set(c.fields), c.asked) for c in noted.changes()
        }

    def count(self, vals, records=None):
        partners = records if records is not None else self.acme
        return len(self.write(partners, vals).changes())


@tagged("post_install", "-at_install")
class TestLedger(LedgerCase):
    def test_own_values(self):
        told = self.told(self.write(self.acme, {"ref": "A-1"}))
        key = ("res.partner", self.acme.id)
        self.assertEqual(told, {key: ("updated", {"ref"}, True)})

    def test_the_same_value_is_no_change(self):
        self.acme.ref = "A-1"
        noted = self.write(self.acme, {"ref": "A-1"})
        self.assertFalse(noted.changes())
        self.assertEqual(noted.asked_for(), {("res.partner", "updated")})

    def test_a_value_that_code_drops_is_no_change(self):
        Partner = type(self.env["res.partner"])
        self.env.cr.flush()
        with patch.object(Partner, "_write_company_type", lambda records: None):
            noted = self.write(self.acme, {"company_type": "company"})
        self.assertFalse(noted.changes())
        noted = self.write(self.acme, {"company_type": "company"})
        self.assertIn("company_type", noted.changes()[0].fields)

    def test_there_and_back(self):
        def work(env):
            acme = self.acme.with_env(env)
            for ref in ("x", "A-1"):
                with ledger.asked(env, {"ref": ref}):
                    acme.write({"ref": ref})
                env.flush_all()

        self.acme.ref = "A-1"
        self.assertFalse(self.noted(work).changes())

    def test_a_look_beforehand(self):
        """Which records exist, with what is in them: a write between two looks does not
        make the first one forgotten."""
        names = ["ref", "category_id", "company_type", "write_date", "no_such", "id"]
        missing = self.acme.copy()
        missing.unlink()
        self.acme.ref = "A-1"

        def work(env):
            noted, acme = ledger.of(env.cr), self.acme.with_env(env)
            found = noted.existing(acme + missing.with_env(env), names)
            self.assertEqual(found, {self.acme.id})
            for ref in ("A-2", "A-3"):
                with ledger.asked(env, {"ref": ref}):
                    acme.write({"ref": ref})
                env.flush_all()
                self.assertEqual(noted.existing(acme, names), {self.acme.id})
            new = env["res.partner"].create({"name": "New"})
            self.assertEqual(noted.existing(new, names), {new.id})
            with ledger.asked(env, {"ref": "N-1"}):
                new.write({"ref": "N-1"})
            env.flush_all()
            self.assertFalse(noted.row("res.partner", new.id).before)

        noted = self.noted(work)
        [change] = [c for c in noted.changes() if c.id == self.acme.id]
        self.assertEqual(change.values, {"ref": ("A-1", "A-3")})
        self.assertEqual(change.asked_fields, ("ref",))
        self.assertNotIn(missing.id, [ident for _model, ident in noted.rows])

    def test_a_look_alone_is_no_change(self):
        def work(env):
            ledger.of(env.cr).existing(self.acme.with_env(env), ["ref", "name"])

        noted = self.noted(work)
        self.assertFalse(noted.changes())
        self.assertFalse(noted.asked_for())
        self.assertFalse(noted.asked_rows())

    def test_computed_columns_are_told_as_set_off(self):
        parent = self.env["res.partner"].create({"name": "P", "is_company": True})
        self.acme.write({"parent_id": parent.id, "is_company": False})
        told = self.told(self.write(parent, {"name": "Q"}))
        self.assertEqual(told["res.partner", parent.id][2], True)
        kind, names, asked = told["res.partner", self.acme.id]
        self.assertEqual((kind, asked), ("updated", False))
        self.assertIn("complete_name", names)

    def test_an_address_reaches_the_contacts(self):
        new = [{"name": name, "type": "contact"} for name in "abc"]
        self.acme.write(
            {"is_company": True, "child_ids": [Command.create(vals) for vals in new]}
        )
        self.env.flush_all()
        noted = self.write(self.acme, {"street": "Rue Neuve 1"})
        self.assertEqual(len(noted.changes()), 4)
        self.assertEqual(sum(c.asked for c in noted.changes()), 1)

    def test_counts(self):
        other = self.acme.copy()
        line = self.env["res.partner"].create({"name": "x", "parent_id": self.acme.id})
        new = [0, 0, {"name": "y"}]
        rows = (
            (1, {"ref": "1"}, self.acme),
            (2, {"ref": "2"}, self.acme + other),
            (2, {"child_ids": [new]}, self.acme),
            (3, {"child_ids": [new, new]}, self.acme),
            (2, {"child_ids": [[1, line.id, {"ref": "3"}]]}, self.acme),
            (1, {"category_id": [[1, self.tag.id, {"name": "Silver"}]]}, self.acme),
            # A link is shown by both sides.
            (2, {"category_id": [[4, self.tag.id, 0]]}, self.acme),
            (0, {"category_id": [[4, self.tag.id, 0]]}, self.acme),
        )
        for expected, vals, records in rows:
            with self.subTest(vals=vals):
                found = [
                    c
                    for c in self.write(records, vals).changes()
                    if c.fields != ("child_ids",) or "child_ids" in vals
                ]
                self.assertEqual(len(found), expected, found)

    def test_lines_at_every_depth(self):
        deep = {"name": "a", "child_ids": [[0, 0, {"name": "b"}]]}
        noted = self.write(self.acme, {"child_ids": [[0, 0, deep]]})
        made = [c for c in noted.changes() if c.kind == "created"]
        self.assertEqual([c.asked for c in made], [True, True])

    def test_a_link_from_the_other_side(self):
        noted = self.write(self.tag, {"partner_ids": [[4, self.acme.id, 0]]})
        told = self.told(noted)
        key = ("res.partner", self.acme.id)
        self.assertEqual(told[key], ("updated", {"category_id"}, True))

    def test_what_is_deleted_takes_along(self):
        self.acme.category_id = self.tag
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "BE1", "partner_id": self.acme.id}
        )

        def work(env):
            with ledger.asked(env):
                self.acme.with_env(env).sudo().unlink()

        noted = self.noted(work)
        told = self.told(noted)
        self.assertEqual(told["res.partner", self.acme.id][0], "deleted")
        self.assertEqual(told["res.partner.category", self.tag.id][0], "updated")
        self.assertEqual(told["res.partner.bank", bank.id][0], "deleted")
        [cascaded] = [c for c in noted.changes() if c.model == "res.partner.bank"]
        self.assertTrue(cascaded.cascaded)

    def test_a_link_that_only_the_other_side_shows_goes_along(self):
        file = self.env["ir.attachment"].create({"name": "a.txt", "raw": b"x"})
        template = self.env["mail.template"].create(
            {"name": "T", "attachment_ids": [Command.link(file.id)]}
        )
        noted = self.noted(lambda env: file.with_env(env).sudo().unlink())
        told = self.told(noted)
        self.assertEqual(
            told["mail.template", template.id], ("updated", {"attachment_ids"}, False)
        )

    def test_made_and_deleted(self):
        def work(env):
            made = env["res.partner"].create({"name": "Brief"})
            env.flush_all()
            made.sudo().unlink()

        self.assertFalse(self.noted(work).changes())

    def test_what_code_undoes_by_itself(self):
        def work(env):
            acme = self.acme.with_env(env)
            for undo in (False, True):
                savepoint = env.cr.savepoint()
                acme.write({"ref": f"undone {undo}"})
                env["res.partner"].create({"name": "Undone"})
                self.tag.with_env(env).sudo().unlink()
                env.flush_all()
                savepoint.close(rollback=True)
                env.cr.clear()

        self.assertFalse(self.noted(work).changes())

    def test_files_that_are_a_fields_own_go_untold(self):
        self.acme.image_1920 = PIXEL
        self.env.flush_all()

        def work(env):
            with ledger.asked(env):
                self.acme.with_env(env).sudo().unlink()

        noted = self.noted(work)
        self.assertTrue([m for m, _i in noted.rows if m == "ir.attachment"])
        self.assertNotIn("ir.attachment", {c.model for c in noted.changes()})

    def test_a_method_sets_off(self):
        noted = self.noted(lambda env: self.acme.with_env(env).write({"ref": "m"}))
        [change] = noted.changes()
        self.assertFalse(change.asked)
        self.assertFalse(noted.asked_for())

    def test_an_override_of_the_call_asks_and_its_helpers_do_not(self):
        Partner, tag = type(self.acme), self.tag
        original = Partner.write

        def helper(records):
            tag.with_env(records.env).sudo().write({"name": "Set off"})

        def write(records, vals):
            res = original(records, vals)
            if "ref" in vals:
                helper(records)
            return res

        with patch.object(Partner, "write", write):
            told = self.told(self.write(self.acme, {"ref": "h"}))
        self.assertTrue(told["res.partner", self.acme.id][2])
        self.assertFalse(told["res.partner.category", tag.id][2])

    def test_an_automation_rule_that_is_edited_switches_nothing_off(self):
        # base_automation takes create, write and unlink from the registry's classes.
        Partner = type(self.acme)
        for name in ("create", "write", "unlink"):
            if name in vars(Partner):
                delattr(Partner, name)
        self.assertTrue(self.write(self.acme, {"ref": "auto"}).changes())

    def test_technical_records_are_left_out(self):
        noted = self.noted(
            lambda env: self.acme.with_env(env).message_post(body="hello")
        )
        self.assertFalse(
            {c.model for c in noted.changes()} & {"mail.message", "bus.bus"}
        )

    def test_without_a_change_nothing_is_noted(self):
        self.assertIsNone(ledger.of(self.env.cr))
        self.acme.write({"ref": "z"})
        self.assertIsNone(ledger.of(self.env.cr))

    def test_a_noted_call_costs_little(self):
        def seconds(work):
            started = time.process_time()
            for number in range(200):
                work(number)
            return time.process_time() - started

        def noted(number):
            self.write(self.acme, {"ref": f"n{number}"})

        def plain(number):
            self.acme.with_env(self.user_env).write({"ref": f"p{number}"})
            self.env.cr.flush()

        seconds(plain), seconds(noted)
        ratios = sorted(seconds(noted) / seconds(plain) for _round in range(5))
        # A bound for mistakes in kind, such as a query a field: not a measurement.
        self.assertLess(ratios[2], 3, ratios)


@tagged("post_install", "-at_install")
class TestUndone(LedgerCase):
    def test_hooks_and_caches_from_before_survive(self):
        ran, cr = [], self.env.cr
        cr.postcommit.add(lambda: ran.append("before"))
        cr.postcommit.data["doorman"] = ["before"]
        self.addCleanup(cr.postcommit.clear)
        waiting = list(cr.postcommit._funcs)
        registry = self.env.registry
        registry.clear_cache("default")
        told = set(registry.cache_invalidated)
        with undoable(self.env):
            cr.postcommit.add(lambda: ran.append("after"))
            cr.postcommit.data["doorman"].append("after")
            registry.clear_cache("assets")
            forget(self.env)
        self.assertEqual(list(cr.postcommit._funcs), waiting)
        self.assertEqual(cr.postcommit.data["doorman"], ["before"])
        self.assertEqual(set(registry.cache_invalidated), told)
