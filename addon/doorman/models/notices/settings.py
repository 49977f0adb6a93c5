from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from ...policy import webhooks

# Who changes these changes who gets to know what: the other administrators are told.
OUT = (
    "notice_values",
    "notice_channel_id",
    "notice_webhook_url",
    "notice_webhook_own_network",
)


class DoormanSettings(models.Model):
    """Who is told what, and how."""

    _inherit = "doorman.settings"

    notice_values = fields.Boolean(
        "Show values in notices",
        tracking=True,
        help="Approvers also see in their email or inbox what a request would change, "
        "before and after. Off: they get a summary and a link.",
    )
    notice_channel_id = fields.Many2one(
        "discuss.channel",
        "Discuss channel",
        tracking=True,
        ondelete="set null",
        help="A private group, or a channel that is limited to MCP administrators or "
        "MCP auditors. A notice is summarized there if every member can read what it "
        "is about in Odoo. Otherwise, only the link is posted. Values are never "
        "posted.",
    )
    notice_lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        "Language",
        required=True,
        default=lambda self: self.env.lang or "en_US",
        help="For notices in Discuss and by webhook. Emails are in the language of "
        "the person who gets them.",
    )
    notice_webhook_url = fields.Char(
        "Webhook URL",
        groups="doorman.group_admin",
        copy=False,
        help="Notices are posted here, with a summary and a link. Use an https address "
        "that is reachable from this Odoo.",
    )
    notice_webhook_format = fields.Selection(
        [("generic", "Generic (JSON)"), ("slack", "Slack"), ("teams", "Teams")],
        "Format",
        required=True,
        default="generic",
        tracking=True,
    )
    notice_webhook_own_network = fields.Boolean(
        "Receiver in your own network",
        tracking=True,
        help="Allow private addresses, and http to this machine. Only an Odoo "
        "administrator can switch this on, and change the URL while it is on.",
    )
    notice_webhook_status = fields.Char(
        "Last delivery", compute="_compute_notice_webhook_status"
    )
    notice_webhook_failed = fields.Boolean(compute="_compute_notice_webhook_status")
    notice_address = fields.Boolean(
        "New address",
        default=True,
        tracking=True,
        help="A connection is used from a network it was never used from before: "
        "another /24 of IPv4, or another /64 of IPv6.",
    )
    notice_client = fields.Boolean(
        "New AI tool",
        default=True,
        tracking=True,
        help="A connection is used by an AI tool with another name. A new version of "
        "the same tool does not count.",
    )
    notice_refusals = fields.Integer(
        "Refusals within 10 minutes",
        default=20,
        tracking=True,
        help="One connection has this many requests refused. At most one notice per "
        "hour and connection. 0: no notice.",
    )
    notice_idle_days = fields.Integer(
        "First use after (days)",
        default=30,
        tracking=True,
        help="A connection is used again after not being used for this long. 0: no "
        "notice.",
    )
    notice_fast_seconds = fields.Integer(
        "Approved faster than (seconds)",
        default=5,
        tracking=True,
        help="Somebody approves a request sooner than this after it was made. 0: no "
        "notice.",
    )
    notice_fast_count = fields.Integer(
        "Approvals within a minute",
        default=5,
        tracking=True,
        help="Somebody approves this many requests within a minute. Low-risk requests "
        "are not counted. 0: no notice.",
    )

    def init(self):
        """The secret that signs: as for keys, it is not a field. Unlike those it has to
        be kept as it is, since it signs."""
        res = super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_notice_secret (
                    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
                    secret varchar NOT NULL
                )
                """
            )
        )
        return res

    # ---- checks ----

    @api.constrains(
        "notice_refusals",
        "notice_idle_days",
        "notice_fast_seconds",
        "notice_fast_count",
    )
    def _check_notices(self):
        self._check_range(
            {
                "notice_refusals": (0, 10_000),
                "notice_idle_days": (0, 3_650),
                "notice_fast_seconds": (0, 3_600),
                "notice_fast_count": (0, 1_000),
            }
        )

    @api.constrains("notice_channel_id")
    def _check_notice_channel(self):
        for record in self.sudo().filtered("notice_channel_id"):
            if not record._is_closed_channel(record.notice_channel_id):
                raise ValidationError(
                    self.env._(
                        "Anyone could read what is posted in %s. Choose a private "
                        "group, or a channel that is limited to MCP administrators or "
                        "MCP auditors.",
                        record.notice_channel_id.name,
                    )
                )

    @api.model
    def _is_closed_channel(self, channel):
        """Whether only people that somebody has let in can read a channel."""
        if not channel.active:
            return False
        mcp = self.env.ref("doorman.group_admin") | self.env.ref(
            "doorman.group_auditor"
        )
        limited = channel.group_public_id.all_implied_ids & mcp
        return channel.channel_type == "group" or (
            channel.channel_type == "channel" and bool(limited)
        )

    @api.constrains("notice_webhook_url", "notice_webhook_own_network")
    def _check_notice_webhook(self):
        for record in self.sudo().filtered("notice_webhook_url"):
            own = record.notice_webhook_own_network
            if not webhooks.split(record.notice_webhook_url, own):
                raise ValidationError(
                    self.env._(
                        "The webhook URL must look like https://hooks.example.com/...: "
                        "no user, no password and no fragment."
                    )
                )

    def _check_own_network(self, vals):
        """Odoo itself sends: who names any address in its network sees more of that
        than an MCP administrator may."""
        names = {"notice_webhook_url", "notice_webhook_own_network"} & vals.keys()
        if not names or self.env.su or self.env.user.has_group("base.group_system"):
            return
        on = vals.get("notice_webhook_own_network", self.notice_webhook_own_network)
        if on:
            raise AccessError(
                self.env._(
                    "Only an Odoo administrator can allow notices to be posted inside "
                    "your own network."
                )
            )

    def write(self, vals):
        self._check_own_network(vals)
        if isinstance(vals.get("notice_webhook_url"), str):
            vals = vals | {"notice_webhook_url": vals["notice_webhook_url"].strip()}
        before = {record: record._where_told() for record in self.sudo()}
        res = super().write(vals)
        for record, was in before.items():
            changed = [name for name in OUT if record._where_told()[name] != was[name]]
            if changed:
                record._tell_of_notices(changed)
        if vals.get("notice_webhook_url") and not self._webhook_secret():
            self._new_webhook_secret()
        return res

    def _where_told(self):
        return {name: self[name] for name in OUT}

    def _tell_of_notices(self, names):
        """The address of a webhook is a secret, and stands in no chatter."""
        self.env["doorman.notice"]._tell_change(self, "where", names=names)

    # ---- the secret that signs ----

    @api.model
    def _webhook_secret(self):
        self.env.cr.execute(SQL("SELECT secret FROM doorman_notice_secret"))
        row = self.env.cr.fetchone()
        return row and row[0]

    @api.model
    def _new_webhook_secret(self):
        secret = webhooks.new_secret()
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_notice_secret (secret) VALUES (%s) "
                "ON CONFLICT (singleton) DO UPDATE SET secret = excluded.secret",
                secret,
            )
        )
        return secret

    def action_new_webhook_secret(self):
        """Make the secret that notices are signed with, in place of the one before.

        :return: the dialog that shows it, once
        :raise AccessError: for anyone but MCP administrators
        """
        self._check_admin()
        secret = self._new_webhook_secret()
        self._get().sudo().message_post(
            body=self.env._(
                "New secret for the webhook, shown to %s.", self.env.user.name
            )
        )
        view = self.env.ref("doorman.doorman_key_show_view_form_webhook")
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("The webhook's new secret"),
            "views": [(view.id, "form")],
            "target": "new",
            "context": {"default_key": secret, "default_connection": "Webhook"},
        }

    # ---- trying it out ----

    def action_test_notice(self):
        """Send a test notice to the caller, the channel and the webhook.

        :raise AccessError: for anyone but MCP administrators
        :return: an action that tells where it went
        """
        self._check_admin()
        settings, me = self._get().sudo(), self.env.user
        notice = self.env["doorman.notice"].sudo()
        notice = notice.create(
            {"kind": "test", "subject": me.id, "told": True, "data": {"who": me.name}}
        )
        notice._tell(me)
        lines, good = [self.env._("Sent to you.")], True
        if settings.notice_channel_id:
            notice._tell_channel()
            channel = settings.notice_channel_id.name
            lines.append(self.env._("Posted in %s.", channel))
        if settings.notice_webhook_url:
            good = notice._post()
            lines.append(
                self.env._("The webhook accepted it.")
                if good
                else notice._why_not_sent()
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Test notice"),
                "message": " ".join(lines),
                "type": "success" if good else "danger",
                "sticky": not good,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.depends_context("lang")
    def _compute_notice_webhook_status(self):
        tried = [("tries", ">", 0)]
        notices = self.env["doorman.notice"].sudo()
        last = notices.search(tried, order="write_date desc, id desc", limit=1)
        for record in self:
            record.notice_webhook_failed = bool(last.error)
            record.notice_webhook_status = last._delivery() if last else False
