from odoo.fields import Command

from .common import WriteCase


class RulesCase(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.belgium = cls.env.ref("base.be")
        cls.acme.write(
            {
                "email": "boss@acme.example",
                "phone": "+32 2 290 34 90",
                "country_id": cls.belgium.id,
                "comment": "<p>Secret notes</p>",
                "ref": "R-ACME",
            }
        )
        cls.other = cls.env["res.partner"].create(
            {
                "name": "Zeta",
                "email": "zeta@zeta.example",
                "country_id": cls.env.ref("base.fr").id,
                "parent_id": False,
            }
        )
        cls.child = cls.env["res.partner"].create(
            {
                "name": "Ann",
                "parent_id": cls.other.id,
                "type": "other",  # with an address of her own
                "country_id": cls.belgium.id,
            }
        )
        cls.people["user"].group_ids += cls.env.ref("base.group_allow_export")

    def model(self, name):
        return self.env["ir.model"]._get(name)

    def fields(self, model, *names):
        found = self.env["ir.model.fields"].search(
            [("model", "=", model), ("name", "in", names)]
        )
        self.assertEqual(len(found), len(names))
        return [Command.set(found.ids)]

    def rule_for(self, model="", hidden=(), masked=(), connection=None, **vals):
        """Add a rule for a model to the connection; "" for every other one."""
        vals = {
            "connection_id": (connection or self.connection).id,
            "model_id": self.model(model).id if model else False,
            "perm_create": True,
            "perm_write": True,
            "perm_unlink": True,
        } | vals
        if hidden:
            vals["hidden_field_ids"] = self.fields(model, *hidden)
        if masked:
            vals["masked_field_ids"] = self.fields(model, *masked)
        return self.env["doorman.model.rule"].create(vals)

    def reads(self, records, *names, **kwargs):
        answer = self.call(
            records._name, "read", records.ids, fields=list(names), **kwargs
        )
        return answer.get("value", self.kind_of(answer))

    def count(self, domain, model="res.partner"):
        answer = self.call(model, "search_count", domain=domain)
        return answer.get("value", self.kind_of(answer))
