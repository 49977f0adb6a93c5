from odoo.tests import BaseCase, tagged

from ...policy import canonical_json, closed_fields, closed_methods, closed_models

# Models that nobody writes through a connection, though an Odoo administrator may.
WRITE_FLOOR = """
res.users res.users.settings res.groups res.groups.privilege res.company
ir.cron ir.cron.trigger ir.actions.server ir.actions.act_window ir.actions.report
ir.actions.act_url ir.actions.client ir.actions.todo ir.model ir.model.fields
ir.model.fields.selection ir.model.data ir.model.constraint ir.model.relation
ir.ui.view ir.ui.menu ir.module.module ir.module.category ir.default ir.filters
ir.sequence ir.asset ir.exports ir.rule ir.model.access ir.config_parameter
ir.mail_server ir.embedded.actions base.automation base.language.install
base.document.layout base.module.uninstall mail.template mail.alias
mail.alias.domain mail.message mail.message.subtype mail.notification
mail.tracking.value mail.mail mail.gateway.allowed sms.template fetchmail.server
portal.wizard portal.wizard.user portal.share res.config res.config.settings
website website.page website.rewrite queue.job studio.approval.rule
gamification.goal.definition payment.transaction payment.provider payment.token
privacy.lookup.wizard data_recycle.model iap.account google.calendar.account.reset
microsoft.calendar.account.reset server.action.history.wizard
reset.view.arch.wizard wizard.ir.model.menu.create properties.base.definition
report.layout report.paperformat web_tour.tour web_tour.tour.step
onboarding.onboarding res.lang decimal.precision mail.compose.message
mail.scheduled.message mail.activity.schedule mail.activity.schedule.line
mail.followers.edit mail.activity.type mail.message.schedule mail.message.reaction
mail.guest mail.presence mail.link.preview calendar.popover.delete.wizard
calendar.provider.config account.move.send.wizard account.move.send.batch.wizard
account.lock_exception mailing.mailing mailing.mailing.test mailing.filter
mailing.trace mailing.sms.test survey.invite sms.composer sms.sms snailmail.letter
digest.digest digest.tip link.tracker link.tracker.code crm.iap.lead.mining.request
project.share.wizard project.collaborator task.share.wizard payment.link.wizard
payment.capture.wizard spreadsheet.dashboard spreadsheet.dashboard.share
privacy.log discuss.channel.rtc.session sale.pdf.form.field
doorman.connection doorman.tool doorman.settings
res.users.apikeys iot.device theme.utils
""".split()
WRITABLE = """
res.partner res.partner.category res.partner.bank res.country res.currency.rate
sale.order account.move crm.lead product.template project.task mail.activity
calendar.event ir.attachment website.menu hr.employee stock.picking
res.config_like mail.aliases portals.thing sale.advance.payment.inv
account.payment.register account.move.reversal stock.return.picking
stock.backorder.confirmation crm.lead.lost crm.lead2opportunity.partner
mailing.contact mailing.list mail.followers mail.activity.plan
""".split()


@tagged("post_install", "-at_install")
class TestWriteRules(BaseCase):
    def test_write_floor(self):
        for model in WRITE_FLOOR:
            with self.subTest(model=model):
                self.assertFalse(closed_models.may_write(model))
        for model in WRITABLE:
            with self.subTest(model=model):
                self.assertTrue(closed_models.may_write(model))

    def test_code_fields(self):
        for name, kind in (
            ("code", "text"),
            ("python_code", "text"),
            ("condition_python", "text"),
            ("amount_python_compute", "text"),
            ("python_compute", "char"),
            ("compute_code", "text"),
            ("domain_force", "char"),
            ("sql", "text"),
            ("mailing_domain", "char"),
            ("user_domain", "char"),
            ("domain", "text"),
            ("assignment_domain_preferred", "char"),
            ("domain_formula", "char"),
            ("formula", "char"),
            ("address_format", "text"),
        ):
            self.assertTrue(closed_fields.is_code(name, kind), name)
        for name, kind in (
            ("code", "char"),
            ("zip_code", "char"),
            ("happy", "text"),
            ("description", "text"),
            ("copy_count", "integer"),
            ("domain_id", "many2one"),
            ("date_format", "selection"),
        ):
            self.assertFalse(closed_fields.is_code(name, kind), name)

    def test_denied_method_names(self):
        for name in ("action_confirm", "button_cancel", "action_post", "create_company",
                     "ready_to_ship", "action_set_won", "messages_seen",
                     "create_invoices", "unlink_wizard",
                     "action_create_returns"):  # fmt: skip
            self.assertFalse(closed_methods.is_denied_method(name), name)
        for name in ("_x", "get_portal_url", "action_reset_password", "new_api_key",
                     "message_post", "run", "action_share", "create_unique",
                     "find_or_create_record", "find_or_create", "get_or_create_x",
                     "partner_or_create", "format", "action_get_share_url",
                     "iap_enrich", "autocomplete_by_name"):  # fmt: skip
            self.assertTrue(closed_methods.is_denied_method(name), name)

    def test_canonical(self):
        same = [
            [{"a": 1, "b": [2.0, "\u00e9"]}, {"b": [2, "e\u0301"], "a": 1.0}],
            [-0.0, 0],
            [1e3, 1000],
        ]
        for one, other in same:
            self.assertEqual(canonical_json.digest(one), canonical_json.digest(other))
        for one, other in (
            [1, True],
            [0, False],
            [None, False],
            ["1", 1],
            [1, 1.5],
            [[], {}],
            [[1, 2], [2, 1]],
            [{"a": 1}, {"a": 1, "b": None}],
            [2**53, 2**53 + 1],
        ):
            self.assertNotEqual(
                canonical_json.digest(one), canonical_json.digest(other)
            )
        for bad in (
            float("nan"),
            float("inf"),
            {1: 2},
            b"x",
            {"\u00e9": 1, "e\u0301": 2},
        ):
            with self.assertRaises(ValueError):
                canonical_json.digest(bad)
