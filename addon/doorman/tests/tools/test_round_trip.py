"""What a read gave is a value that can be written, and changes nothing: for every field
of every type that may be written, on Odoo's own documents."""

import json
from collections import Counter

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.json import json_default

from ...policy import writable_fields
from ...policy.guard import Guard
from ...policy.refusal import Refusal
from ..common import WriteCase

# Besides those of the base modules, where they are installed.
MODELS = (
    "res.partner", "res.partner.category", "res.partner.bank", "res.country.group",
    "mail.activity", "sale.order", "sale.order.line", "crm.lead", "project.task",
    "project.project", "product.template", "account.move", "account.payment",
    "hr.employee", "hr.leave", "purchase.order", "stock.picking", "calendar.event",
)  # fmt: skip
# Types that a connection gives values to.
TYPES = {
    "boolean", "char", "date", "datetime", "float", "html", "integer", "many2many",
    "many2one", "one2many", "selection", "text",
}  # fmt: skip


# What Odoo sets anew at each write, whatever is sent.
STAMPS = ("last_modified_uid", "last_modified_date")


def told(model, row, field, names):
    """A value as the service tells it: server/mcp/tools/reply.go."""
    value = row[field.name]
    if field.type == "many2one":
        return {"id": value[0], "name": value[1]} if value else None
    if field.type in ("one2many", "many2many"):
        known = names.get(field.name, {})
        found = {"ids": value[:50]}
        if value and known:
            found["names"] = [known[str(i)] for i in value[:3] if str(i) in known]
        return found | ({"count": len(value)} if len(value) > 50 else {})
    if value is False and field.type != "boolean":
        return None
    if field.type == "monetary":
        currency = row.get(field.get_currency_field(model))
        if currency:
            return {"amount": value, "currency": currency[1]}
    return value


@tagged("post_install", "-at_install")
class TestRoundTrip(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = cls.people["user"]
        user.group_ids = [
            Command.link(g.id) for g in cls.env.ref("base.user_admin").group_ids
        ]
        user.tz = "Europe/Brussels"
        tag = cls.env["res.partner.category"].create({"name": "Zyxw"})
        cls.acme.write(
            {
                "category_id": [Command.set(tag.ids)],
                "child_ids": [Command.create({"name": "Ann"})],
                "country_id": cls.env.ref("base.be").id,
                "comment": "<p>one<br>two &lt; three</p>",
                "partner_latitude": 12.5,
                "lang": "en_US",
                "type": "invoice",
                "bank_ids": [Command.create({"acc_number": "BE71096123456769"})],
            }
        )
        cls.acme.activity_schedule("mail.mail_activity_data_todo", note="<p>x</p>")

    def test_every_field(self):
        done, refused = Counter(), []
        for name in MODELS:
            if name not in self.env:
                continue
            records = self.acme if name == "res.partner" else self.env[name].search(
                [], limit=2, order="id desc"
            )  # fmt: skip
            for record in records:
                self.write_back(record, done, refused)
        apart = set() if "calendar.event" in self.env else {"datetime"}
        self.assertFalse(TYPES - apart - set(done), "types that were not tried")
        self.assertGreater(done.total(), 60)
        self.assertLess(len(refused), done.total() / 10, refused)

    def write_back(self, record, done, refused):
        env = self.env(user=self.people["user"].id)
        guard, fence = Guard(env, None), self.fence()
        model = env[record._name]
        for name, field in model._fields.items():
            try:
                writable_fields.check(guard, model, name)
            except Refusal:
                continue
            if name in STAMPS or not model._has_field_access(field, "write"):
                continue
            fields = [name]
            if field.type == "monetary":
                fields.append(field.get_currency_field(model))
            read = self.call(
                record._name, "read", record.ids, fence, fields=fields, names=3
            )
            if "value" not in read:
                continue  # nobody reads it: another test's business
            # As it leaves Odoo.
            read = json.loads(json.dumps(read, default=json_default))
            [row] = read["value"]["rows"]
            value = told(model, row, model._fields[name], read["value"]["names"])
            before = self.held(record, name)
            with self.env.cr.savepoint() as savepoint:
                vals = {name: value}
                answer = self.call(record._name, "write", record.ids, fence, vals=vals)
                held = self.held(record, name)
                savepoint.rollback()
                self.env.invalidate_all()
            where = f"{record._name}.{name} ({field.type}): {str(value)[:80]}"
            error = answer.get("error")
            with self.subTest(where=where):
                if not error:
                    self.assertEqual(held, before)
                    done[field.type] += 1
                elif error["kind"] in ("invalid_input", "internal", "not_found"):
                    self.assertTrue(self.may_be_refused(field, value), error)
                else:
                    # Odoo's own rules: a posted document, an unset required value.
                    refused.append(f"{where}: {error['message'][:80]}")

    @staticmethod
    def may_be_refused(field, value):
        """What cannot be written back, and why."""
        if field.type in ("one2many", "many2many"):
            return "count" in value  # cut: the rest would be lost
        return False

    @staticmethod
    def held(record, name):
        record.invalidate_recordset()
        [row] = record.sudo().read([name])
        value = row[name]
        return sorted(value) if record._fields[name].type.endswith("2many") else value
