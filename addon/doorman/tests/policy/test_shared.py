from odoo.tests import tagged

from odoo.addons.doorman.policy import approval_states, shared

from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestShared(DoormanCase):
    """The service's closed lists are what is stored here."""

    def choices(self, model, field):
        return {value for value, _label in self.env[model]._fields[field].selection}

    def test_states_and_risks(self):
        for model, field, shared_values in (
            ("doorman.connection", "state", shared.STATUSES),
            ("doorman.approval", "state", shared.APPROVAL_STATES),
            ("doorman.tool", "risk", shared.RISKS),
        ):
            with self.subTest(model=model):
                self.assertEqual(self.choices(model, field), set(shared_values))
        self.assertLess(set(shared.LIVE_STATUSES), set(shared.STATUSES))

    def test_events_of_approvals(self):
        self.assertEqual(set(approval_states.EVENTS), set(shared.APPROVAL_EVENTS))
        self.assertEqual(set(approval_states.STATES), set(shared.APPROVAL_STATES))

    def test_scopes(self):
        scopes = self.env["doorman.scope"].sudo().search([])
        self.assertEqual(set(scopes.mapped("code")), set(shared.SCOPES))
