from odoo.tests import tagged

from ..common import DoormanCase

FEW, MANY = 3, 12


@tagged("post_install", "-at_install")
class TestListCosts(DoormanCase):
    """A page of a list costs as many queries as a few rows of it."""

    def _read(self, records):
        """Read records as the web client does for the list of their model."""
        arch = records.get_view(view_type="list")["models"][records._name]
        names = [n for n in arch if n in records._fields]
        spec = {
            name: {"fields": {"display_name": {}}}
            if records._fields[name].type in ("many2one", "many2many")
            else {}
            for name in names
        }
        return records.web_read(spec)

    def _queries(self, records):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.assertEqual(len(self._read(records)), len(records))
        return self.env.cr.sql_log_count - before

    def _check(self, records):
        records = records.with_user(self.people["admin"])
        self.assertEqual(len(records), MANY)
        self._read(records)  # what Odoo keeps between requests is there
        few, many = self._queries(records[:FEW]), self._queries(records)
        self.assertLessEqual(many, few, f"{records._name}: grows with its rows")

    def test_connections(self):
        people = [
            self._person_vals(f"lists-{number}", ["doorman.group_user"])
            for number in range(MANY)
        ]
        users = self._persons(*people)
        self._check(
            self.env["doorman.connection"].create(
                [{"name": user.name, "user_id": user.id} for user in users]
            )
        )

    def test_keys(self):
        people = [
            self._person_vals(f"lists-{number}", ["doorman.group_user"])
            for number in range(MANY)
        ]
        connections = self.env["doorman.connection"]
        for user in self._persons(*people):
            connections |= connections.create({"name": "x", "user_id": user.id})
        for connection in connections:
            connection._issue_key()
        mine = [("connection_id", "in", connections.ids)]
        self._check(self.env["doorman.key.report"].search(mine))

    def test_policy_changes(self):
        self._person("second", ["doorman.group_admin"])
        changes = self.env["doorman.policy.change"].with_user(self.people["admin"])
        for number in range(MANY):
            user = self._person(f"lists-{number}", ["doorman.group_user"])
            connection = self.env["doorman.connection"].create(
                {"name": user.name, "user_id": user.id}
            )
            changes._ask(connection, {"rate_limit_minute": (0, 20_000)})
        self._check(changes.search([("connection_id", "!=", False)], limit=MANY))

    def test_approvals(self):
        """Also where each asks others."""
        made = self.env["doorman.approval"]
        group = self.env.ref("doorman.group_admin")
        asked = (
            {},
            {"approver_id": False},
            {"approver_id": False, "approver_group_id": group.id},
        )
        for number in range(MANY):
            made |= self.approval(**asked[number % len(asked)])
        self._check(made)

    def test_invites(self):
        invites = self.env["doorman.invite"].with_user(self.people["admin"])
        made = invites
        scope = self.env.ref("doorman.scope_search")
        for number in range(MANY):
            made |= invites._make(
                {"key_name_preset": f"Key {number}", "scope_ids": [(4, scope.id)]}
            )[0]
        self._check(made)

    def test_the_audit(self):
        for _number in range(MANY):
            self.used()
        self._check(self.env["doorman.audit"].search([], limit=MANY))
