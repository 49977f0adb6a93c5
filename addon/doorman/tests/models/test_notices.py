from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..notices_common import NoticeCase


@tagged("post_install", "-at_install")
class TestNoticesOfRequests(NoticeCase):
    """Who is told of a request for approval, and what."""

    def test_who_may_decide(self):
        found = self.told(self.waiting_delete)
        summary = "Approval needed: Permanently delete contact Acme"
        self.assertEqual(found, {"approver": [summary]})
        body = self.messages.body
        [request] = self.connection.approval_ids
        self.assertIn(f"/odoo/doorman.approval/{request.id}", body)
        self.assertIn("Tool of user asks, in the name of Test user", body)
        # Once.
        self.assertEqual(self.told(), {})

    def test_no_call_sends_anything(self):
        def mails():
            return self.env["mail.message"].search_count(
                [("message_type", "=", "user_notification")]
            )

        before = mails()
        approval = self.waiting_delete()
        self.assertEqual(mails(), before)
        self.assertEqual(len(self.activities(approval)), 1)

    def test_what_is_undone_is_not_told(self):
        with self.env.cr.savepoint() as savepoint:
            self.waiting_delete()
            self.assertTrue(self.notices.search([("told", "=", False)]))
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.told(), {})

    def test_asked_twice_told_once(self):
        self.waiting_delete()
        found = self.told(self.waiting_delete)
        self.assertEqual(len(found["approver"]), 1)

    def test_deny(self):
        """People who can no longer decide by the time it is told."""
        approver, other = self.people["approver"], self.people["internal"]

        def archive(_request):
            approver.active = False

        def share(_request):
            approver.group_ids = [Command.set([self.env.ref("base.group_portal").id])]

        def other_approver(_request):
            self.connection.approver_id = other

        def reject(request):
            request.with_user(approver).action_reject("no")

        def expire(request):
            request._inside().expires_at = fields.Datetime.now() - timedelta(minutes=1)

        for change, wanted in (
            (archive, set()),
            (share, set()),
            (other_approver, {"internal"}),
            (reject, set()),
            (expire, set()),
        ):
            with self.subTest(change.__name__):
                with self.env.cr.savepoint() as savepoint:
                    request = self.waiting_delete()
                    change(request)
                    self.assertEqual(set(self.told()), wanted)
                    savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_administrators_of_its_company_only(self):
        other = self.stranger()
        # In two companies, of which that of the request is not the main one.
        self.people["both"] = self._person(
            "both",
            ["doorman.group_admin"],
            company_id=other.id,
            company_ids=[Command.set((other | self.company).ids)],
        )
        self.connection.approver_id = False
        found = self.told(self.waiting_delete)
        self.assertLessEqual({"admin", "both"}, set(found))
        self.assertNotIn("stranger", found)
        self.assertNotIn("auditor", found)

    def test_inbox_or_e_mail_as_they_prefer(self):
        approver = self.people["approver"]
        for kind in ("email", "inbox"):
            approver.notification_type = kind
            self.assertTrue(self.told(self.asked))
            [note] = self.messages.notification_ids
            self.assertEqual(note.notification_type, kind)

    def test_without_an_e_mail_address(self):
        self.people["approver"].email = False
        self.assertIn("approver", self.told(self.asked))

    def test_one_who_cannot_be_told_keeps_no_other_from_it(self):
        self.connection.approver_id = False
        admins = self.env["doorman.connection"]._administrators()
        first = admins.sorted("id")[0]
        tell = type(self.notices)._tell

        def fail(notice, person):
            if person == first:
                raise ValueError(person)
            return tell(notice, person)

        self.patch(type(self.notices), "_tell", fail)
        with self.assertLogs("odoo.addons.doorman.models.notices", "ERROR"):
            found = self.told(self.waiting_delete)
        if len(admins) > 1:
            self.assertTrue(found)

    def test_in_their_language_and_time(self):
        self.env["res.lang"]._activate_lang("de_DE")
        approver = self.people["approver"]
        approver.write({"lang": "de_DE", "tz": "Europe/Berlin"})
        self.told(lambda: self.asked(expires_at="2036-07-01 22:30:00"))
        self.assertIn("02.07.2036", self.messages.body)
        self.assertIn("00:30", self.messages.body)
        self.assertIn("Europe/Berlin", self.messages.body)
        approver.write({"lang": "en_US", "tz": False})
        self.told(lambda: self.asked(expires_at="2036-07-01 22:30:00"))
        self.assertIn("07/01/2036", self.messages.body)
        self.assertIn("(UTC)", self.messages.body)

    def test_values_where_the_setting_says_so(self):
        def ask():
            self.waiting("res.partner", "write", self.acme.ids, vals={"ref": "R-77"})

        self.told(ask)
        self.assertNotIn("R-77", self.messages.body)
        self.connection.approval_ids.sudo()._drop("again")
        self.settings.notice_values = True
        self.told(ask)
        self.assertIn("R-77", self.messages.body)
        # A reminder as well, and nothing else.
        request = self.connection.approval_ids.filtered(lambda a: a.state == "pending")
        found = self.told(request.sudo()._remind)
        self.assertTrue(found["approver"][0].startswith("Still waiting: "))
        self.assertIn("R-77", self.messages.body)

    def test_which_values(self):
        """What would be changed, as those who decide see it: not what Odoo's own code
        would do besides, and what is withheld stays so."""
        row = {"label": "Ref", "before": "", "after": "R-77"}
        other = {"label": "Note", "before": "", "after": "S-88"}
        masked = {"label": "Phone", "before": None, "after": "••••"}
        preview = {
            "changes": [
                {"name": "Acme", "rows": [row, masked]},
                {"name": "Bolt", "rows": [other], "set_off": True},
                {"name": "Gone"},
            ]
        }
        self.settings.notice_values = True
        self.told(lambda: self.asked(preview=preview))
        self.assertIn("R-77", self.messages.body)
        self.assertIn("••••", self.messages.body)
        self.assertNotIn("S-88", self.messages.body)
        preview = {"changes": [{"name": "Acme", "rows": [row] * 30}]}
        self.told(lambda: self.asked(preview=preview))
        self.assertEqual(self.messages.body.count("R-77"), 10)
        self.told(lambda: self.asked(preview=False))
        self.assertNotIn("<li>", self.messages.body)

    def test_a_field_that_no_tool_may_touch(self):
        self.settings.notice_values = True
        user = self.people["user"]
        answer = self.ask("res.users", "write", user.ids, vals={"password": "hunter2"})
        self.assertIn("error", answer)
        self.assertEqual(self.told(), {})

    def test_they_can_be_erased(self):
        self.settings.notice_values = True
        self.told(self.waiting_delete)
        message = self.messages
        self.assertIn("Acme", message.body)
        request = self.connection.approval_ids
        request.with_user(self.people["approver"]).action_reject("no")
        admin = self.env["doorman.audit"].with_user(self.admin)
        admin.api_erase("res.partner", self.acme.id)
        message.invalidate_recordset()
        self.assertNotIn("Acme", f"{message.body} {message.subject}")

    def test_names_are_text(self):
        self.told(lambda: self.asked(summary="<b>x</b> <a href='//evil'>y</a>"))
        self.assertIn("&lt;b&gt;x", self.messages.body)
        self.assertEqual(self.messages.body.count("<a "), 1)

    def test_no_message_decides(self):
        """Approving takes more than opening a link."""
        self.told(self.asked)
        self.assertNotIn("approve_", self.messages.body.lower())
        self.assertNotIn("token", self.messages.body.lower())

    def test_the_first_of_two_is_asked_once(self):
        group = self.env["res.groups"].create({"name": "Deciders"})
        for role in ("approver", "internal"):
            self.people[role].group_ids = [Command.link(group.id)]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        self.connection.two_approvers = "low"
        request = self.waiting_delete()
        self.told()
        request.with_user(self.people["approver"]).action_approve()
        self.told()
        found = self.told(request.sudo()._remind)
        self.assertEqual(set(found), {"internal"})

    def test_a_copy_tells_nobody(self):
        self.patch(type(self.settings), "_is_copy", lambda *_: True)
        self.assertEqual(self.told(self.asked), {})

    def test_they_are_forgotten(self):
        self.asked()
        self.env.flush_all()
        self.env.cr.execute("UPDATE doorman_notice SET create_date = '2020-01-01'")
        self.run_job("purge_audit")
        self.assertFalse(self.notices.search_count([]))


@tagged("post_install", "-at_install")
class TestHastyApprovals(NoticeCase):
    """Administrators are told of who approves without reading."""

    def approve(self, seconds=0, role="approver", **vals):
        request = self.waiting_delete()
        now = fields.Datetime.now()
        request._inside().write(
            {"requested_at": now - timedelta(seconds=seconds)} | vals
        )
        self.told()
        request.with_user(self.people[role]).action_approve()
        self.assertEqual(request.state, "executed")
        self.acme = self.env["res.partner"].create({"name": "Acme"})
        return request

    def test_within_seconds(self):
        title = "Approved within seconds: Test approver"
        self.settings.notice_fast_count = 0
        for seconds, setting, wanted in (
            (0, 5, True),
            (6, 5, False),
            (200, 300, True),
            (300, 300, False),
            (0, 0, False),
        ):
            with self.subTest(seconds=seconds, setting=setting):
                self.settings.notice_fast_seconds = setting
                found = self.told(lambda s=seconds: self.approve(s))
                self.assertEqual(found.get("admin", []), [title] if wanted else [])
                self.assertNotIn("user", found)
                self.assertNotIn("auditor", found)

    def test_who_did_it_is_not_told(self):
        self.connection.approver_id = self.admin
        found = self.told(lambda: self.approve(role="admin"))
        self.assertNotIn("Approved within seconds: Test admin", found.get("admin", []))

    def test_many_within_a_minute(self):
        self.settings.write({"notice_fast_seconds": 0, "notice_fast_count": 3})

        def approve(count, **vals):
            for _ in range(count):
                self.approve(30, **vals)

        self.assertNotIn("admin", self.told(lambda: approve(2)))
        # Of low risk, a button approves several at once.
        self.assertNotIn("admin", self.told(lambda: approve(5, risk="low")))
        found = self.told(lambda: approve(1))
        self.assertEqual(found["admin"], ["Many approvals at once: Test approver"])
        # Once an hour.
        self.assertNotIn("admin", self.told(lambda: approve(1)))
        self.settings.notice_fast_count = 0
        self.notices.search([]).unlink()
        self.assertNotIn("admin", self.told(lambda: approve(3)))


@tagged("post_install", "-at_install")
class TestNoticesInDiscuss(NoticeCase):
    """What a channel is told, and which channel may be."""

    def channel(self, *roles, kind="group", group=None):
        partners = (
            self.env["res.users"]
            .browse([self.people[role].id for role in roles])
            .partner_id
        )
        channels = self.env["discuss.channel"].with_user(self.admin).sudo()
        if kind == "group":
            channel = channels._create_group(partners.ids, name="Notices")
        else:
            channel = channels._create_channel("Notices", group and group.id)
            channel._add_members(partners=partners)
        return self.env["discuss.channel"].browse(channel.id)

    def posted(self, channel, run):
        before = channel.message_ids
        self.told(run)
        return " ".join((channel.message_ids - before).mapped("body"))

    def test_which_channels(self):
        admins, users = (
            self.env.ref("doorman.group_admin"),
            self.env.ref("base.group_user"),
        )
        made = self.env["res.groups"].create(
            {"name": "x", "implied_ids": [Command.link(admins.id)]}
        )
        auditors = self.env.ref("doorman.group_auditor")
        for channel, allowed in (
            (self.channel("admin"), True),
            (self.channel("admin", kind="channel", group=admins), True),
            (self.channel("admin", kind="channel", group=made), True),
            (self.channel("auditor", kind="channel", group=auditors), True),
            (self.channel("admin", kind="channel", group=users), False),
            (self.channel("admin", kind="channel"), False),
        ):
            with self.subTest(channel.group_public_id.name, kind=channel.channel_type):
                found = self.outcome(
                    lambda c=channel: self.settings.write({"notice_channel_id": c.id}),
                    ValidationError,
                    undo=True,
                )
                self.assertEqual(found, "allow" if allowed else "deny")

    def test_a_summary_where_all_may_read(self):
        self.settings.notice_values = True
        channel = self.channel("admin")
        self.settings.notice_channel_id = channel
        body = self.posted(
            channel,
            lambda: self.waiting(
                "res.partner", "write", self.acme.ids, vals={"ref": "R-77"}
            ),
        )
        self.assertIn("Acme", body)
        self.assertIn("/odoo/doorman.approval/", body)
        # Values are for approvers only, even with the setting on.
        self.assertNotIn("R-77", body)

    def test_the_link_alone_where_one_may_not(self):
        channel = self.channel("admin", "internal")
        self.settings.notice_channel_id = channel
        body = self.posted(channel, self.waiting_delete)
        self.assertNotIn("Acme", body)
        self.assertNotIn("Tool of user", body)
        self.assertIn("/odoo/doorman.approval/", body)

    def test_nothing_where_it_was_opened_since(self):
        admins = self.env.ref("doorman.group_admin")
        channel = self.channel("admin", kind="channel", group=admins)
        self.settings.notice_channel_id = channel
        channel.group_public_id = self.env.ref("base.group_user")
        self.assertEqual(self.posted(channel, self.waiting_delete), "")
        channel.group_public_id = admins
        channel.active = False
        self.connection.approval_ids.sudo()._drop("again")
        self.assertEqual(self.posted(channel, self.waiting_delete), "")

    def test_in_the_language_of_the_settings(self):
        self.env["res.lang"]._activate_lang("de_DE")
        channel = self.channel("admin")
        self.settings.write({"notice_channel_id": channel.id, "notice_lang": "de_DE"})
        body = self.posted(
            channel, lambda: self.asked(expires_at="2036-07-01 22:30:00")
        )
        self.assertIn("01.07.2036", body)

    def test_no_reminder(self):
        channel = self.channel("admin")
        request = self.asked()
        self.told()
        self.settings.notice_channel_id = channel
        self.assertEqual(self.posted(channel, request._remind), "")


@tagged("post_install", "-at_install")
class TestNoticeSettings(NoticeCase):
    def test_who_changes_them(self):
        for role, wanted in (
            ("admin", "allow"),
            ("auditor", "deny"),
            ("user", "deny"),
            ("internal", "deny"),
        ):
            settings = self.settings.with_user(self.people[role])
            for run in (
                lambda s=settings: s.write({"notice_values": True}),
                settings.action_test_notice,
                settings.action_new_webhook_secret,
            ):
                with self.subTest(role=role):
                    self.assertEqual(self.outcome(run, undo=True), wanted)

    def test_the_address_is_a_secret(self):
        url = "https://hooks.example.com/services/T0/very-secret"
        before = self.settings.message_ids
        self.settings.with_user(self.admin).notice_webhook_url = url
        self.env.flush_all()
        new = self.settings.message_ids - before
        self.assertIn("Webhook URL", " ".join(new.mapped("body")))
        self.assertFalse(new.partner_ids)
        for message in new:
            self.assertNotIn("very-secret", message.body)
            self.assertFalse(message.tracking_value_ids)
        auditor = self.settings.with_user(self.people["auditor"])
        with self.assertRaises(AccessError):
            auditor.read(["notice_webhook_url"])
        self.assertNotIn("notice_webhook_url", auditor.fields_get())

    def test_the_secret(self):
        self.settings.notice_webhook_url = "https://hooks.example.com/x"
        first = self.settings._webhook_secret()
        self.assertTrue(first.startswith("whsec_"))
        before = self.settings.message_ids
        dialog = self.settings.with_user(self.admin).action_new_webhook_secret()
        shown = dialog["context"]["default_key"]
        self.assertEqual(self.settings._webhook_secret(), shown)
        self.assertNotEqual(shown, first)
        new = " ".join((self.settings.message_ids - before).mapped("body"))
        self.assertIn("Test admin", new)
        self.assertNotIn(shown, new)

    def test_ranges(self):
        for name in (
            "notice_refusals",
            "notice_idle_days",
            "notice_fast_seconds",
            "notice_fast_count",
        ):
            with self.subTest(name), self.assertRaises(ValidationError):
                self.settings.write({name: -1})

    def test_a_test_notice(self):
        before = self.env["mail.message"].search([], order="id desc", limit=1).id
        found = self.settings.with_user(self.admin).action_test_notice()
        self.assertEqual(found["params"]["type"], "success")
        message = self.env["mail.message"].search([("id", ">", before)], limit=1)
        self.assertEqual(message.notified_partner_ids, self.admin.partner_id)
        # It is told at once, and never again.
        self.assertEqual(self.told(), {})
