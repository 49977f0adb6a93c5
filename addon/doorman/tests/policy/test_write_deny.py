from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import WriteCase
from .test_write_rules import WRITE_FLOOR

NO, BAD, WHICH = "not_allowed", "invalid_input", "unknown_field"
GONE = "not_found"

# (values for a res.partner, kind): the connection may use every model, and its user
# is an Odoo administrator.
DENY_VALUES = [
    # accounts and keys, by way of the contact
    ({"user_ids": [[0, 0, {"name": "x", "login": "x"}]]}, NO),
    ({"user_ids": [[1, 2, {"password": "x"}]]}, NO),
    ({"user_ids": [[4, 2, 0]]}, NO),
    ({"user_ids": [[6, 0, [2]]]}, NO),
    ({"user_ids": [[3, 2, 0]]}, NO),
    ({"user_ids": [[2, 2, 0]]}, NO),
    ({"user_ids": [[5, 0, 0]]}, NO),
    ({"child_ids": [[0, 0, {"name": "c", "user_ids": [[4, 2, 0]]}]]}, NO),
    ({"child_ids": [[0, 0, {"child_ids": [[0, 0, {"user_ids": [[4, 2]]}]]}]]}, NO),
    ({"signup_token": "x"}, WHICH),
    ({"child_ids": [[0, 0, {"name": "c", "signup_token": "x"}]]}, WHICH),
    # what others said, and what changed
    ({"message_ids": [[0, 0, {"body": "x", "author_id": 3}]]}, NO),
    ({"message_ids": [[2, 1, 0]]}, NO),
    ({"message_ids": [[5, 0, 0]]}, NO),
    ({"message_ids": [[6, 0, []]]}, NO),
    # Odoo's own columns
    ({"id": 1}, NO),
    ({"create_uid": 1}, NO),
    ({"create_date": "2020-01-01"}, NO),
    ({"write_uid": 1}, NO),
    # bytes
    ({"image_1920": "iVBORw0KGgo="}, NO),
    ({"avatar_128": "iVBORw0KGgo="}, NO),
    ({"child_ids": [[0, 0, {"name": "c", "image_1920": "iVBO"}]]}, NO),
    # a record is named by its id or a name that it has, never made by its name
    ({"parent_id": "New company"}, BAD),
    ({"parent_id": [0, 0, {"name": "x"}]}, BAD),
    ({"parent_id": {"name": "x"}}, BAD),
    ({"parent_id": True}, BAD),
    ({"parent_id": 1.5}, BAD),
    ({"parent_id": str(2**31 - 1)}, GONE),
    ({"parent_id": -1}, BAD),
    ({"parent_id": 2**31}, BAD),
    # commands that are none
    ({"category_id": [2**31 - 1]}, GONE),
    ({"category_id": "x"}, BAD),
    ({"category_id": {"name": "x"}}, BAD),
    ({"category_id": 2**31 - 1}, GONE),
    ({"category_id": [[7, 0, 0]]}, BAD),
    ({"category_id": [[-1, 0, 0]]}, BAD),
    ({"category_id": [["4", 1, 0]]}, BAD),
    ({"category_id": [[True, 1, {}]]}, BAD),
    ({"category_id": [[6, 0, 1]]}, BAD),
    ({"category_id": [[6, 0, [str(2**31 - 1)]]]}, GONE),
    ({"category_id": [[4, str(2**31 - 1), 0]]}, GONE),
    ({"category_id": [[4, {"login": "x"}, 0]]}, BAD),
    ({"category_id": [[0, 0, 7]]}, BAD),
    ({"category_id": [[0, 0, [["name", "x"]]]]}, BAD),
    ({"category_id": [[1, 1]]}, BAD),
    ({"category_id": [[]]}, BAD),
    ({"category_id": [[4, 1, 0, 0]]}, BAD),
    ({"category_id": [[5, 0, 0]] * 1_001}, BAD),
    # values that are none
    ({"name": ["x"]}, BAD),
    ({"name": {"en_US": "x"}}, BAD),
    ({"name": "a\0b"}, BAD),
    ({"nope": 1}, WHICH),
    ({"Name": "x"}, WHICH),
    ({"_fields": "x"}, WHICH),
    ({"parent_id.name": "x"}, WHICH),
    ({"name@fr_FR": "x"}, WHICH),
    ({"": "x"}, WHICH),
]
ALLOW_VALUES = [
    {"name": "x", "color": 3, "active": True, "email": "a@b.example"},
    {"parent_id": False},
    {"parent_id": None},
    {"comment": "<p>hello</p>"},
    {"category_id": []},
    {"category_id": False},
    {"category_id": [[5]]},
    {"category_id": [[6, 0, []]]},
    {"category_id": [[0, 0, {"name": "tag"}]]},
    {"child_ids": [[0, "virtual_1", {"name": "c"}]]},
    {"child_ids": [[0, 0, {"name": "c", "category_id": [[0, 0, {"name": "t"}]]}]]},
    {"bank_ids": [[0, 0, {"acc_number": "BE71096123456769"}]]},
]
# What a connection for res.partner alone may not do, and one without a list may.
DENY_LIMITED = [
    {"bank_ids": [[0, 0, {"acc_number": "BE71096123456769"}]]},
    {"category_id": [[0, 0, {"name": "t"}]]},
    {"category_id": [[6, 0, []]]},
    {"category_id": [[5, 0, 0]]},
    {"child_ids": [[0, 0, {"name": "c", "category_id": [[0, 0, {"name": "t"}]]}]]},
    {"activity_ids": [[5, 0, 0]]},
    {"message_follower_ids": [[5, 0, 0]]},
]

# (model, method, arguments): none of these is called, by whoever it be.
DENY_METHODS = [
    *[
        ("res.partner", name, {})
        for name in """
        create write unlink copy copy_data read search search_read search_count
        name_search name_create load export_data default_get fields_get onchange
        web_read web_save web_save_multi web_search_read web_read_group web_resequence
        web_name_search web_override_translations sudo with_user with_context with_env
        with_company browse exists mapped filtered sorted concat union invalidate_model
        flush_model modified update toggle_active get_views get_view get_formview_action
        get_metadata get_external_id get_property_definition update_field_translations
        get_field_translations check_access has_access check_access_rights
        formatted_read_group read_group read_progress_bar search_panel_select_range
        search_fetch fetch ensure_one message_post message_notify message_subscribe
        message_process message_route message_new message_update message_parse
        message_change_thread message_post_with_source message_mail_with_source
        message_get_followers message_unsubscribe notify_cancel_by_type
        activity_send_mail signup_prepare signup_cancel signup_get_auth_param
        signup_retrieve_info im_search get_mention_suggestions
        mail_get_partner_fields mail_allowed_qweb_expressions
        _write _create _search _read_group _fields_sync _compute_display_name
        __init__ __class__ _sudo _unlink_except_user init env ids id pool
        """.split()
    ],
    ("res.users", "action_reset_password", {}),
    ("res.users", "api_key_wizard", {}),
    ("res.users", "action_revoke_all_devices", {}),
    ("res.users", "preference_save", {}),
    ("ir.cron", "method_direct_trigger", {}),
    ("ir.actions.server", "run", {}),
    ("ir.module.module", "button_immediate_install", {}),
    ("ir.module.module", "button_immediate_uninstall", {}),
    ("ir.config_parameter", "set_param", {"key": "a", "value": "b"}),
    ("ir.config_parameter", "get_param", {"key": "database.secret"}),
    ("ir.ui.view", "reset_arch", {}),
    ("ir.rule", "action_archive", {}),
    ("res.groups", "action_archive", {}),
    ("mail.template", "send_mail", {"res_id": 1}),
    ("mail.mail", "send", {}),
    ("mail.message", "action_archive", {}),
    ("mail.alias", "action_archive", {}),
    ("doorman.connection", "action_rotate_key", {}),
    ("doorman.settings", "action_disable", {}),
    ("doorman.settings", "action_allow_changes", {}),
    ("doorman.approval", "action_approve", {}),
    ("doorman.gateway", "hello", {}),
]
DENY_ARGUMENTS = [
    ({"context": {"default_user_id": 1}}, NO),
    ({"with_context": {}}, NO),
    ({"_x": 1}, BAD),
    ({"self": 1}, BAD),
    ({"a b": 1}, BAD),
    (["x"], BAD),
    ("x", BAD),
    ({"nope": 1}, BAD),
]
# HTML that a template engine would run, however it is written.
DIRECTIVES = (
    '<t t-out="1"/>',
    '<p t-out="1"/>',
    '<p class="a"t-out="1+41">y</p>',
    "<p class='a't-out='1'>y</p>",
    '<p\nT-OUT="1"/>',
    '<a href="/"><b t-att-href="x">y</b></a>',
    "<p t-foreach=x>y</p>",
    "<T>x</T>",
)
NO_DIRECTIVES = (
    "<p>3 < 4 & {a}</p>",
    "<p class='mt-2 t-out'>a t-shirt = 5 EUR</p>",
    "t-out=1",
    "<table><tbody><tr><td>t</td></tr></tbody></table>",
    '<p title="t-out=1">x</p>',
)


@tagged("post_install", "-at_install")
class TestWriteDeny(WriteCase):
    """Ways up. The user behind the connection is an Odoo administrator, so that it is
    the rules that refuse and not Odoo's access rights."""

    def setUp(self):
        super().setUp()
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]

    def test_values(self):
        fence = self.fence()
        for vals, kind in DENY_VALUES:
            name = str(vals)[:100]
            with self.subTest(create=name):
                answer = self.create({"name": "x"} | vals, fence=fence)
                self.assertEqual(self.kind_of(answer), kind)
            with self.subTest(write=name):
                answer = self.write(self.acme, vals, fence=fence)
                self.assertEqual(self.kind_of(answer), kind)
            with self.subTest(dry=name):
                answer = self.write(self.acme, vals, fence=fence, more={"dry_run": 1})
                self.assertEqual(self.kind_of(answer), kind)

    def test_values_that_are_fine(self):
        fence = self.fence()
        for vals in ALLOW_VALUES:
            with self.subTest(vals=vals):
                answer = self.create({"name": "x"} | vals, fence=fence)
                self.assertIn("value", answer)
                self.assertIn("value", self.write(self.acme, vals, fence=fence))

    def test_limited_to_one_model(self):
        limited = [(vals, NO) for vals in DENY_LIMITED]
        for vals, _kind in limited:
            with self.subTest(open=vals):
                self.assertEqual(self.kind_of(self.write(self.acme, vals)), "ok")
        self.allow_models("res.partner")
        fence = self.fence()
        for vals, kind in limited:
            with self.subTest(vals=vals):
                answer = self.write(self.acme, vals, fence=fence)
                self.assertEqual(self.kind_of(answer), kind)
        for answer in (
            self.create({"name": "x"}, model="res.country", fence=fence),
            self.call("res.country", "unlink", [1], fence=fence),
        ):
            self.assertEqual(self.kind_of(answer), NO)
        answer = self.write(self.acme, {"country_id": 1, "name": "x"}, fence=fence)
        self.assertEqual(self.kind_of(answer), "ok", "a foreign key by its number")

    def test_floor_models(self):
        fence = self.fence()
        for model in WRITE_FLOOR:
            if model not in self.env:
                continue
            for answer in (
                self.create({"name": "x"}, model=model, fence=fence),
                self.call(model, "write", [1], vals={"name": "x"}, fence=fence),
                self.call(model, "unlink", [1], fence=fence),
                self.call(model, "message_post", [1], body="x", fence=fence),
            ):
                with self.subTest(model=model):
                    self.assertEqual(self.kind_of(answer), NO)

    def test_models_without_records(self):
        fence = self.fence()
        for model in ("mail.thread", "base", "image.mixin", "res.partner.nope"):
            for answer in (
                self.create({"name": "x"}, model=model, fence=fence),
                self.call(model, "unlink", [1], fence=fence),
                self.call(model, "message_post", [1], body="x", fence=fence),
            ):
                self.assertEqual(self.kind_of(answer), "unknown_model")

    def test_methods(self):
        fence = self.fence()
        for model, name, arguments in DENY_METHODS:
            with self.subTest(model=model, name=name):
                request = self.request(model, "call_method", [1])
                request["kwargs"] = {"method": name, "kwargs": arguments}
                kind = self.kind_of(self.gateway.call(fence, request))
                self.assertIn(kind, (NO, BAD))
                if not name.startswith("_"):
                    self.assertEqual(kind, NO)

    def test_arguments_of_methods(self):
        for arguments, kind in DENY_ARGUMENTS:
            with self.subTest(arguments=arguments):
                answer = self.method(self.acme, "create_company", arguments)
                self.assertEqual(self.kind_of(answer), kind)
        for name in (None, 7, ["create_company"], "", "x" * 65, "action archive",
                     "create_company\n", "Ａction"):  # fmt: skip
            answer = self.method(self.acme, name)
            self.assertEqual(self.kind_of(answer), BAD)

    def test_aliases(self):
        """A public name for what is private, or for what the ORM itself does."""
        Partner = type(self.env["res.partner"])

        def _private(records):
            return True

        for number, function in enumerate(
            (
                _private,
                Partner.write,
                Partner.search_read,
                Partner._compute_display_name,
                Partner.message_post,
                classmethod(lambda cls: True),
                staticmethod(lambda: True),
                property(lambda records: print),
            )
        ):
            with (
                self.subTest(number=number),
                patch.object(Partner, "do_business", function, create=True),
            ):
                answer = self.method(self.acme, "do_business")
                self.assertIn(self.kind_of(answer), (NO, BAD))

    def test_the_address_of_a_person_who_logs_in(self):
        """A reset of the password goes there."""
        for person in ("admin", "user", "portal"):
            partner = self.people[person].partner_id
            old = partner.email
            with self.subTest(person=person):
                answer = self.write(partner, {"email": "x@evil.example"})
                self.assertEqual(self.kind_of(answer), "forbidden")
                nested = [[1, partner.id, {"email": "x@evil.example"}]]
                partner.parent_id = self.acme
                answer = self.write(self.acme, {"child_ids": nested})
                self.assertEqual(self.kind_of(answer), "forbidden")
                self.assertEqual(partner.email, old)
        answer = self.write(self.people["admin"].partner_id, {"phone": "123"})
        self.assertEqual(self.kind_of(answer), "ok")

    def test_attachments(self):
        Attachment = self.env["ir.attachment"]
        mine = Attachment.create(
            {
                "name": "a",
                "raw": b"<script>",
                "res_model": "res.partner",
                "res_id": self.acme.id,
            }
        )
        theirs = Attachment.create(
            {"name": "b", "raw": b"x", "res_model": "doorman.settings", "res_id": 1}
        )
        for vals in (
            {"url": "/web/assets/x.js"},
            {"type": "url"},
            {"mimetype": "text/html"},
            {"public": True},
            {"datas": "eA=="},
            {"raw": "x"},
            {"res_field": "x"},
            {"access_token": "x"},
            {"res_model": "doorman.settings", "res_id": 1},
            {"res_model": "res.users.apikeys", "res_id": 1},
        ):
            with self.subTest(vals=vals):
                self.assertEqual(self.kind_of(self.write(mine, vals)), NO)
        self.assertEqual(self.kind_of(self.write(theirs, {"name": "c"})), NO)
        answer = self.call("ir.attachment", "unlink", theirs.ids)
        self.assertEqual(self.kind_of(answer), NO)
        answer = self.create({"name": "x"}, model="ir.attachment")
        self.assertEqual(self.kind_of(answer), NO)
        self.assertEqual(self.kind_of(self.write(mine, {"name": "c"})), "ok")
        self.allow_models("res.partner", "ir.attachment")
        answer = self.write(mine, {"res_model": "res.country", "res_id": 1})
        self.assertEqual(self.kind_of(answer), NO)
        self.assertEqual(mine.res_model, "res.partner")

    def test_activities_follow_their_record(self):
        """By way of a field that is not a model name, but leads to one."""
        kind = self.env.ref("mail.mail_activity_data_todo").id
        ir_model = self.env["ir.model"]

        def vals(model, ident):
            return {
                "res_model_id": ir_model._get_id(model),
                "res_id": ident,
                "activity_type_id": kind,
            }

        answer = self.create(vals("res.partner", self.acme.id), model="mail.activity")
        self.assertEqual(self.kind_of(answer), "ok")
        connection = vals("doorman.connection", self.connection.id)
        with mute_logger("odoo.addons.base.models.ir_model"):
            answer = self.create(connection, model="mail.activity")
        self.assertIn(self.kind_of(answer), (NO, "forbidden"))
        self.allow_models("res.partner", "mail.activity")
        answer = self.create(vals("res.partner.bank", 1), model="mail.activity")
        self.assertIn(self.kind_of(answer), (NO, "forbidden", BAD, "not_found"))

    def test_scripts_do_not_survive(self):
        self.write(self.acme, {"comment": "<p>a</p><script>alert(1)</script>"})
        self.assertNotIn("script", self.acme.comment)
        field = self.env["res.partner"]._fields["comment"]
        with patch.object(field, "sanitize", False):
            self.write(self.acme, {"comment": "<img src=x onerror=alert(1)><p>b</p>"})
        self.assertNotIn("onerror", self.acme.comment)
        self.assertIn("<p>b</p>", self.acme.comment)

    def test_template_code(self):
        field = self.env["res.partner"]._fields["comment"]
        for text in DIRECTIVES:
            with self.subTest(text=text):
                answer = self.write(self.acme, {"comment": text})
                self.assertEqual(self.kind_of(answer), BAD)
        for text in NO_DIRECTIVES:
            with self.subTest(text=text):
                answer = self.write(self.acme, {"comment": text})
                self.assertEqual(self.kind_of(answer), "ok")
        field.render_engine = "qweb"
        self.addCleanup(delattr, field, "render_engine")
        for text in ("{{ object.env }}", "<p>plain</p>"):
            answer = self.write(self.acme, {"comment": text})
            self.assertEqual(self.kind_of(answer), NO)

    def test_related_fields_are_written_where_they_lead(self):
        """A field of a contact that is a field of somebody's account."""
        Partner = type(self.env["res.partner"])
        field = Partner._fields["ref"]
        for related in ("create_uid.login", "company_id.name", "create_uid.signature"):
            with (
                self.subTest(related=related),
                patch.object(field, "related", related),
            ):
                answer = self.write(self.acme, {"ref": "x"})
                self.assertEqual(self.kind_of(answer), NO)
