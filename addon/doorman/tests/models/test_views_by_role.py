"""Each of our views, for each kind of person who can open it."""

from lxml import etree

from odoo.tests import TransactionCase, tagged

from ..common import DoormanMixin

VIEWS = ("list", "form", "kanban", "search", "graph", "pivot")


@tagged("post_install", "-at_install")
class TestViewsByRole(DoormanMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()

    def test_they_open(self):
        """The web client gives up where a view has a field that its reader may not
        read: Odoo puts it there for the conditions of what else is shown to them."""
        opened, wrong = {}, []
        views = self.env["ir.ui.view"].search(
            [("model", "=like", "doorman.%"), ("type", "in", VIEWS)]
        )
        for role in ("admin", "auditor", "user", "approver"):
            for view in views.filtered(lambda view: view.mode == "primary"):
                model = self.env[view.model].with_user(self.people[role])
                if not model.has_access("read"):
                    continue
                for small in (False, True):
                    got = model.get_views([(view.id, view.type)], {"mobile": small})
                    opened[role] = opened.get(role, 0) + 1
                    wrong += [
                        f"{view.xml_id}, {role}: {name}"
                        for name in self.unknown(view.model, got, view.type)
                    ]
        self.assertGreater(min(opened.values()), 10, opened)
        self.assertEqual(wrong, [])

    def unknown(self, own, got, kind):
        """:return: the fields of a view that its reader is told nothing of"""
        root = etree.fromstring(got["views"][kind]["arch"])
        for node in root.iter("field"):
            model = own
            for outer in reversed([n.get("name") for n in node.iterancestors("field")]):
                model = self.env[model]._fields[outer].comodel_name
            if node.get("name") not in got["models"][model]["fields"]:
                yield f"{model}.{node.get('name')}"

    def test_who_only_reads(self):
        """An auditor is offered nothing that they may not do: what opens something,
        and what asks first whether they may."""
        seen, wrong = 0, []
        views = self.env["ir.ui.view"].search(
            [
                ("model", "=like", "doorman.%"),
                ("type", "in", ("list", "form", "kanban")),
            ]
        )
        for view in views.filtered(lambda view: view.mode == "primary"):
            model = self.env[view.model].with_user(self.people["auditor"])
            # Dialogs that an approver's button opens, and one that only looks.
            if not model.has_access("read") or model._transient:
                continue
            root = etree.fromstring(model.get_view(view.id, view.type)["arch"])
            for button in root.iter("button", "a"):
                if button.get("type") not in ("object", "action"):
                    continue
                seen += 1
                if not self.harmless(button):
                    wrong.append(f"{view.xml_id}: {button.get('name')}")
        self.assertGreater(seen, 10)
        self.assertEqual(wrong, [])

    def harmless(self, button):
        name = button.get("name")
        if button.get("type") == "action":
            action = self.env["ir.actions.act_window"].browse(int(name))
            return not self.env[action.res_model]._transient
        asks = [button.get("invisible") or ""]
        asks += [n.get("t-if") or "" for n in button.iterancestors()]
        # Many approvals at once: each is looked at before the dialog says anything.
        return (
            name.startswith("action_open_")
            and name != "action_open_reject"
            or name == "action_approve_many"
            or any(word in ask for ask in asks for word in ("can_", "is_admin"))
        )
