from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ...policy import (
    closed_fields,
    closed_methods,
    closed_models,
    field_values,
    inherited_models,
    json_depth,
    redact_links,
)
from ..common import WriteCase

NO, BAD = "not_allowed", "invalid_input"

# Closed by what they inherit or point at, were their names not on the list.
CLOSED_BY_CLASS = """
mail.compose.message mail.template mail.activity.schedule mail.followers.edit
reset.view.arch.wizard server.action.history.wizard wizard.ir.model.menu.create
account.move.send.wizard calendar.popover.delete.wizard mailing.mailing survey.invite
portal.share project.share.wizard task.share.wizard payment.link.wizard sms.composer
""".split()
OPEN_BY_CLASS = """
res.partner res.partner.bank mail.activity mail.followers mail.blacklist.remove
sale.order sale.advance.payment.inv sale.order.discount account.move crm.lead
account.payment.register account.move.reversal account.automatic.entry.wizard
stock.backorder.confirmation stock.return.picking stock.put.in.pack crm.lead.lost
crm.lead2opportunity.partner project.project project.task product.product
hr.expense.refuse.wizard hr.departure.wizard validate.account.move
""".split()

# Arguments that tell a method what to search, write, run or render, and on what.
DENY_PARAMETERS = """
domain extra_domain additional_domain domains extraDomain vals values vals_list
values_list new_vals order order_by orderby groupby model model_name res_model fields
field_name fname context ctx with_context callbacks callback code expression formula
filter query where template template_id email_template body html body_html url urls
path link file_name attachment_ids datas raw record record_ids records object user_id
user_ids users author_id email email_from login password access_token token key
args args_list kwargs options env cr self func method percent pattern use_new_cursor
sudo defaults default_values _private
""".split()
ALLOW_PARAMETERS = """
name date amount quantity stage_id partner partner_id partner_ids team_id summary
feedback act_type_xmlid is_modify grouping number recurrence_update_setting
lost_reason_id location_dest_id message reason line_id currency_id mode state
""".split()

# What no argument of a method holds.
NO_DATA = (
    {},
    {"name": "x"},
    [[0, 0, {"name": "x"}]],
    [["name", "=", "x"]],
    [[1]],
    ["x"],
    [True],
    [1.0],
    [0],
    [-1],
    [2**31],
    [1] * 1_001,
    float("nan"),
    float("inf"),
    10**400,
    "a\0b",
    "x" * 10_001,
)
DATA = (1, -1.5, 0, True, None, "x", "2026-01-01", [], [1, 2], "x" * 10_000)

# (type of the field, value)
WRONG_VALUES = [
    *[
        (kind, value)
        for kind in ("integer", "float", "monetary")
        for value in (
            *(float("nan"), float("inf"), float("-inf"), 10**400, 1e300),
            *("inf", "nan", "1", "", True, [], {}),
        )
    ],
    ("integer", 1.5),
    ("boolean", "false"),
    ("boolean", 2),
    ("char", float("nan")),
    ("char", "a\0"),
    ("char", {"en_US": "x"}),
    ("json", [1]),
    ("json", "x"),
    ("json", {"a": {"b": 1}}),
    ("json", {"a": [{"b": 1}]}),
    ("json", {"a": float("nan")}),
    ("json", {"a": "x\0"}),
]
RIGHT_VALUES = [
    ("integer", 3),
    ("integer", 3.0),
    ("float", 1.5),
    ("float", -2),
    ("monetary", 1e12),
    ("boolean", True),
    ("boolean", 1),
    ("char", "x"),
    ("char", 7),
    ("json", {"12,3": 50.0, "4": 50}),
    ("json", {}),
]


@tagged("post_install", "-at_install")
class TestWriteAttackRules(BaseCase):
    def test_parameters(self):
        for name in DENY_PARAMETERS:
            with self.subTest(name=name):
                self.assertTrue(closed_methods.is_denied_parameter(name))
        for name in ALLOW_PARAMETERS:
            with self.subTest(name=name):
                self.assertFalse(closed_methods.is_denied_parameter(name))

    def test_values(self):
        class Field:
            sanitize = True

        for rows, fine in ((WRONG_VALUES, False), (RIGHT_VALUES, True)):
            for kind, value in rows:
                with self.subTest(kind=kind, value=str(value)[:30]):
                    Field.type = kind
                    self.assertEqual(field_values.wanted(Field, value) is None, fine)

    def test_links(self):
        uuid = "eae7ab8a-1c2d-4e3f-9a8b-7c6d5e4f3a2b"
        for text in (
            "see /web/reset_password?token=hidden-text&db=x",
            "/my/orders/27?access_token=hidden-text",
            "/MY?ACCESS_TOKEN=hidden-text",
            "/x?access_token%3Dhidden-text",
            f"https://odoo.example/dashboard/share/1/{uuid}",
            f"https://odoo.example/survey/start/{uuid}?x=1",
            "/calendar/join_videocall/0123456789abcdef0123",
            "/chat/7/hidden-text-here",
            "/rate/hidden-text/5",
            "/hr_attendance/0123456789abcdef0123456789abcdef",
            "/sign/document/mail/4/hidden-text",
            "/survey/print/hidden-text?x=1",
            "/mailing/3/unsubscribe?hash=hidden-text-0123456789",
            "https://x.example/a?b=1&amp;api_key=hidden-text",
            "https://x.example/a?password=hidden-text#top",
            "https://zoom.example/j/123?pwd=hidden-text",
            "https://someone:hidden-text@x.example/a",
            "https://hooks.slack.example/services/T012/B345/hidden-text",
            "the key is sk-hidden-text-0123456789 as agreed",
            "ghp_" + "0123456789abcdef" * 2 + "abcd",
            "dmk_hidden-text-0123456789",
        ):
            with self.subTest(text=text):
                left = redact_links.withhold_links(text)
                self.assertNotIn("hidden-text", left)
                self.assertNotIn(uuid, left)
                self.assertNotIn("0123456789abcdef", left)
        for text in (
            "https://zoom.example/j/123456",
            "the token is in the drawer",
            f"reference {uuid}",
            "/odoo/sale.order/7",
            "/shop/customizable-desk-furn-0096-12?category=3",
            "https://code.example/x/commit/" + "0123456789abcdef" * 2,
            "design=1, config=2, bypass=3, code=A12",
            "task-hidden-text-0123456789",
            "16:30 someone@x.example",
        ):
            self.assertEqual(redact_links.withhold_links(text), text)
        value = [{"a": (1, "x?token=y"), "b": None}]
        self.assertNotIn("=y", str(redact_links.withhold_links_in(value)))

    def test_links_are_withheld_by_name_too(self):
        for name in ("share_link", "full_url", "session_link", "survey_start_url",
                     "sharing_url"):  # fmt: skip
            self.assertTrue(closed_fields.is_withheld(name), name)
        for name in ("link", "url", "videocall_location", "website_url", "full_name"):
            self.assertFalse(closed_fields.is_withheld(name), name)

    def test_depth(self):
        def nested(levels, wrap):
            value = 1
            for _level in range(levels):
                value = wrap(value)
            return value

        for wrap in (lambda v: [v], lambda v: {"a": v}, lambda v: [1, {"a": v}]):
            self.assertFalse(json_depth.too_deep(nested(15, wrap)))
            self.assertTrue(json_depth.too_deep(nested(40, wrap)))
            self.assertTrue(json_depth.too_deep(nested(50_000, wrap)))
        self.assertFalse(json_depth.too_deep("x"))
        found = json_depth.shallow({"a": [1], "b": {"c": 1, "d": [1]}, "e": "x"})
        self.assertEqual(found, {"b": {"c": 1}, "e": "x"})


@tagged("post_install", "-at_install")
class TestWriteAttack(WriteCase):
    """The ways that an attack found. The user is an Odoo administrator."""

    def setUp(self):
        super().setUp()
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]
        self.Partner = type(self.env["res.partner"])

    def business(self, function):
        """Let partners have a public method."""
        held = patch.object(self.Partner, "do_business", function, create=True)
        held.start()
        self.addCleanup(held.stop)

    def do(self, **arguments):
        return self.kind_of(self.method(self.acme, "do_business", arguments))

    # ---- methods ----

    def test_arguments_that_land_nowhere(self):
        """What a signature does not name is written by many a method."""

        def do_business(records, reason=None, **vals):
            records.write(vals)

        self.business(do_business)
        self.assertEqual(self.do(), "ok", "a button")
        self.assertEqual(self.do(reason="x"), "ok")
        for name in ("name", "message_ids", "vals", "nope"):
            with self.subTest(name=name):
                self.assertIn(self.do(**{name: "x"}), (NO, BAD))
        self.assertEqual(self.acme.name, "Acme")
        self.business(lambda records, *names: None)
        self.assertEqual(self.do(names=[1]), BAD)
        self.business(lambda records, a, /: None)
        self.assertEqual(self.do(a=1), BAD)
        self.business(lambda records, a, b: None)
        self.assertEqual(self.do(a=1), BAD)

    def test_what_arguments_hold(self):
        self.business(lambda records, a=None, *, b=None: None)
        for name in ("a", "b"):
            for value in NO_DATA:
                with self.subTest(name=name, value=str(value)[:40]):
                    self.assertEqual(self.do(**{name: value}), BAD)
            for value in DATA:
                with self.subTest(name=name, value=str(value)[:40]):
                    self.assertEqual(self.do(**{name: value}), "ok")

    def test_arguments_that_are_more_than_data(self):
        self.business(lambda records, domain=None, order=None, model_name=None: True)
        for name in ("domain", "order", "model_name"):
            self.assertEqual(self.do(**{name: "name"}), NO)

    def test_what_makes_records_takes_no_arguments(self):
        answer = self.method(self.acme, "create_company", {})
        self.assertEqual(self.kind_of(answer), "ok", "a button")
        for name in ("create_version", "action_create_from", "unlink_all"):
            with patch.object(
                self.Partner, name, lambda records, name=None: True, create=True
            ):
                self.assertEqual(self.kind_of(self.method(self.acme, name)), "ok")
                answer = self.method(self.acme, name, {"name": "x"})
                self.assertEqual(self.kind_of(answer), NO)

    def test_no_method_of_a_file(self):
        mine = self.env["ir.attachment"].create({"name": "a", "raw": b"x"})
        values = [{"name": "x.html", "datas": "eA==", "public": True}]
        nothing = self.env["ir.attachment"]
        for records, name, arguments in (
            (nothing, "create_unique", {"values_list": values}),
            (nothing, "regenerate_assets_bundles", {}),
            (nothing, "action_get", {}),
            (mine, "register_as_main_attachment", {}),
            (mine, "action_archive", {}),
        ):
            with self.subTest(name=name):
                answer = self.method(records, name, arguments)
                self.assertEqual(self.kind_of(answer), NO)
        self.assertFalse(nothing.search([("name", "=", "x.html")]))

    def test_methods_of_modules(self):
        """The same holes where they were found, if the module is there."""
        for model, name, arguments in (
            ("crm.lead", "action_set_lost", {"message_ids": [[0, 0, {"body": "x"}]]}),
            ("crm.lead", "find_or_create_record", {"model_name": "x", "name": "x"}),
            ("project.task", "plan_task_in_calendar", {"vals": {"user_ids": []}}),
            ("project.task", "stage_find", {"section_id": 1, "domain": []}),
            ("res.partner", "activity_schedule", {"res_model_id": 1, "res_id": 1}),
            ("res.partner", "activity_search", {"additional_domain": []}),
            ("res.lang", "format", {"percent": "%30000000d", "value": 1}),
            ("spreadsheet.dashboard.share", "action_get_share_url", {"vals": {}}),
        ):
            if model not in self.env:
                continue
            with self.subTest(model=model, name=name):
                records = self.env[model].search([], limit=1)
                answer = self.method(records, name, arguments)
                self.assertIn(self.kind_of(answer), (NO, BAD))

    # ---- models ----

    def test_closed_by_class(self):
        with patch.object(closed_models, "WRITE_FLOOR", ("ir.ui.view", "ir.actions.")):
            for name in CLOSED_BY_CLASS:
                if name in self.env:
                    with self.subTest(closed=name):
                        self.assertTrue(closed_models.may_write(name))
                        self.assertFalse(inherited_models.may_write(self.env, name))
        for name in OPEN_BY_CLASS:
            if name in self.env:
                with self.subTest(open=name):
                    self.assertTrue(inherited_models.may_write(self.env, name))

    def test_a_copy_of_a_closed_model(self):
        """A model under a name of its own, made of one that is only read."""
        wizard = self.env["mail.blacklist.remove"]
        self.assertTrue(inherited_models.may_write(self.env, wizard._name))
        with patch.object(closed_models, "WRITE_FLOOR", (wizard._name,)):
            copy = type("Copy", (type(wizard),), {"_name": "x.y", "_register": False})
            self.assertTrue(
                inherited_models._inherits_closed(self.env, copy(self.env, (), ()))
            )

    def test_what_is_closed_is_refused(self):
        fence = self.fence()
        for name in ("mail.compose.message", "mail.followers.edit"):
            vals = {"subject": "x"} if "compose" in name else {"operation": "add"}
            for answer in (
                self.create(vals, model=name, fence=fence),
                self.call(name, "write", [1], vals=vals, fence=fence),
                self.call(name, "unlink", [1], fence=fence),
                self.method(self.env[name], "action_send_mail"),
            ):
                self.assertEqual(self.kind_of(answer), NO)
        field = self.env["res.partner"]._fields["child_ids"]
        with patch.object(
            inherited_models, "_inherits_closed", lambda env, model: True
        ):
            answer = self.write(self.acme, {field.name: [[0, 0, {"name": "x"}]]})
        self.assertEqual(self.kind_of(answer), NO)

    def test_where_a_dialog_leads_that_is_closed(self):
        action = {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "target": "new",
        }
        self.business(lambda records: action)
        result = self.method(self.acme, "do_business")["value"]["result"]
        self.assertNotIn("then call its method", result)
