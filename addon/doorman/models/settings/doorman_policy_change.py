from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy.as_person import as_person, day_of
from ...policy.protected_fields import CONTEXT_KEY

ACTIVITY = "doorman.mail_activity_policy_change"
PENDING = "pending"


class DoormanPolicyChange(models.Model):
    """A change of the policy that one administrator has asked for, and another one has
    to confirm.

    pending ──┬── confirmed: it is written, if nothing else was written since
              ├── rejected, by another one or by the person who asked
              ├── expired
              └── cancelled: what it would change is another by now
    """

    _name = "doorman.policy.change"
    _inherit = [
        "doorman.protected.mixin",
        "doorman.thread.mixin",
        "mail.activity.mixin",
    ]
    _description = "Doorman: change of the policy"
    _order = "id desc"
    _rec_name = "summary"

    summary = fields.Char(compute="_compute_texts")
    connection_id = fields.Many2one(
        "doorman.connection",
        readonly=True,
        index=True,
        ondelete="cascade",
        help="Empty: Server Settings.",
    )
    field_name = fields.Char("Field (technical)", required=True, readonly=True)
    before = fields.Json(readonly=True)
    after = fields.Json(readonly=True)
    place = fields.Char("Where", compute="_compute_texts")
    field_label = fields.Char("What", compute="_compute_texts")
    before_text = fields.Char("From", compute="_compute_texts")
    after_text = fields.Char("To", compute="_compute_texts")
    # Empty once they are deleted: what was decided stays.
    asked_by_id = fields.Many2one("res.users", string="Requested by", readonly=True)
    asked_at = fields.Datetime("Requested on", readonly=True, required=True)
    expires_at = fields.Datetime("Expires on", readonly=True, required=True)
    state = fields.Selection(
        [
            (PENDING, "Pending"),
            ("confirmed", "Confirmed"),
            ("rejected", "Rejected"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        default=PENDING,
        required=True,
        readonly=True,
        index=True,
    )
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_at = fields.Datetime("Decided on", readonly=True)
    can_confirm = fields.Boolean(compute="_compute_can_confirm")

    _protected_fields = frozenset(
        {
            "connection_id",
            "field_name",
            "before",
            "after",
            "asked_by_id",
            "asked_at",
            "expires_at",
            "state",
            "decided_by_id",
            "decided_at",
        }
    )
    # One for the same change of the same thing.
    _one_pending = models.UniqueIndex(
        "(COALESCE(connection_id, 0), field_name) WHERE state = 'pending'",
        "This change is already waiting for an administrator.",
    )

    @api.depends("connection_id", "field_name", "before", "after")
    @api.depends_context("lang")
    def _compute_texts(self):
        for change in self:
            record = change.sudo()._record()
            change.place = record.display_name
            change.field_label = self._label(record, change.field_name)
            change.before_text = self._text(record, change.field_name, change.before)
            change.after_text = self._text(record, change.field_name, change.after)
            change.summary = self.env._(
                "%(place)s: %(field)s, %(before)s to %(after)s",
                place=change.place,
                field=change.field_label,
                before=change.before_text,
                after=change.after_text,
            )

    @api.depends("summary")
    @api.depends_context("lang")
    def _compute_display_name(self):
        return super()._compute_display_name()

    @api.depends("asked_by_id", "state")
    @api.depends_context("uid")
    def _compute_can_confirm(self):
        me = self.env.user
        admin = me.has_group("doorman.group_admin")
        for change in self:
            asked = change.asked_by_id == me
            change.can_confirm = admin and not asked and change.state == PENDING

    def _record(self):
        return self.connection_id or self.env["doorman.settings"]._get()

    @api.model
    def _label(self, record, name):
        return record._fields[name]._description_string(self.env)

    @api.model
    def _text(self, record, name, value):
        if record._fields[name].type == "boolean":
            return self.env._("on") if value else self.env._("off")
        if record._fields[name].type == "text":
            return ", ".join((value or "").split("\n")) or self.env._("empty")
        return str(value or 0)

    # ---- asking, telling ----

    @api.model
    def _ask(self, record, wider):
        """Put what one administrator has written before the others.

        :param record: a connection, or the settings
        :param dict wider: field -> what it held, and what was written
        """
        settings = self.env["doorman.settings"]._get().sudo()
        now = fields.Datetime.now()
        connection = record if record._name == "doorman.connection" else None
        changes = self.sudo()._inside()
        known = changes.search(
            [
                ("connection_id", "=", connection.id if connection else False),
                ("field_name", "in", list(wider)),
                ("state", "=", PENDING),
            ]
        )
        # Another value than the one that waits: who confirms sees the last one.
        known._end("cancelled")
        for name, (before, after) in wider.items():
            change = changes.create(
                {
                    "connection_id": connection.id if connection else False,
                    "field_name": name,
                    "before": before,
                    "after": after,
                    "asked_by_id": self.env.uid,
                    "asked_at": now,
                    "expires_at": now + timedelta(hours=settings.approval_expiry_hours),
                }
            )
            change.sudo()._ask_people()
            words = self.env._(
                "%(who)s requested: %(what)s. It is waiting for another MCP "
                "administrator.",
                who=self.env.user.name,
                what=change.summary,
            )
            self._note(record, words)
            self._show(words)

    @api.model
    def _tell(self, record, wider):
        """Tell those who can open it what one of them has widened."""
        for name, (before, after) in wider.items():
            self.env["doorman.notice"]._tell_change(
                record, "widened", name=name, before=before, after=after
            )

    @api.model
    def _note(self, record, body):
        # Without the context that lets our own code write what nobody writes.
        outside = record.sudo().with_context(**{CONTEXT_KEY: None})
        outside.message_post(body=body, subtype_xmlid="mail.mt_note")

    def _show(self, words):
        """Tell who saves a form that it was not saved as it stands there."""
        self.env.user._bus_send(
            "simple_notification",
            {
                "type": "warning",
                "title": self.env._("Another administrator has to confirm"),
                "message": words,
                "sticky": True,
            },
        )

    def _ask_people(self):
        """An activity for everyone who may confirm."""
        for change in self:
            for person in change._people():
                text = change.with_context(lang=person.lang)
                text.activity_schedule(
                    ACTIVITY,
                    day_of(person),
                    summary=text.summary[:200],
                    user_id=person.id,
                )

    def _people(self):
        return self._who_can_open(self) - self.asked_by_id

    @api.model
    def _who_can_open(self, record):
        """:return: the MCP administrators who can read a record"""
        admins = self.env["doorman.connection"]._administrators()
        return admins.filtered(lambda a: as_person(record, a).has_access("read"))

    # ---- deciding ----

    def action_confirm(self):
        """Do it.

        :raise AccessError: for anyone but MCP administrators
        :raise UserError: for the person who asked for it, and if it no longer waits
        :return: an action that tells how it went
        """
        self.ensure_one()
        self._check_may_decide()
        me, change = self.env.user, self.sudo()
        if me == change.asked_by_id:
            raise UserError(
                self.env._(
                    "You requested it yourself: another MCP administrator has to "
                    "confirm it."
                )
            )
        record, stale = change._record(), ""
        if not change.asked_by_id:  # then one administrator alone would decide
            stale = self.env._("The person who requested it has been deleted.")
        elif record[change.field_name] != change.before:
            stale = self.env._("It has changed since it was requested.")
        if stale:
            change._end_or_raise("cancelled")
            title = self.env._("Cancelled: nothing was changed")
            return self._notice(title, stale, "warning")
        change._end_or_raise("confirmed")
        # sudo: one administrator alone would only ask again.
        record.write({change.field_name: change.after})
        self._note(
            record,
            self.env._(
                "%(who)s requested it, and %(second)s confirmed it: %(what)s.",
                who=change.asked_by_id.name,
                second=me.name,
                what=change.summary,
            ),
        )
        return self._notice(
            self.env._("Confirmed and carried out"), change.summary, "success"
        )

    def action_reject(self):
        """Leave it as it is. The person who asked for it may do so as well.

        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if it no longer waits
        """
        self.ensure_one()
        self._check_may_decide()
        change = self.sudo()
        change._end_or_raise("rejected")
        self._note(
            change._record(),
            self.env._(
                "%(who)s rejected: %(what)s.",
                who=self.env.user.name,
                what=change.summary,
            ),
        )
        return True

    def _check_may_decide(self):
        if not self.env.user.has_group("doorman.group_admin"):
            raise AccessError(self.env._("Only an MCP administrator can do this."))
        # As themselves: only what they may change they may confirm.
        self.check_access("read")
        self._record().check_access("write")

    def _end_or_raise(self, state):
        if not self._end(state):
            raise UserError(
                self.env._("It is no longer pending: it was decided, or has expired.")
            )

    def _end(self, state):
        """:return: those of these changes that still waited, by the clock"""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_policy_change SET state = %s, decided_by_id = %s, "
                "decided_at = now() at time zone 'utc' "
                "WHERE id = ANY(%s) AND state = 'pending' "
                "AND (%s OR expires_at > clock_timestamp() at time zone 'utc') "
                "RETURNING id",
                state,
                None if state == "expired" else self.env.uid,
                self.ids,
                state in ("expired", "cancelled"),
            ),
            log_exceptions=False,
        )
        ended = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_recordset(["state", "decided_by_id", "decided_at"])
        activities = self.env["mail.activity"].sudo()
        domain = [("res_model", "=", self._name), ("res_id", "in", ended.ids)]
        activities.search(domain)._doorman_inside().unlink()
        return ended

    @api.model
    def _expire_due(self):
        """End those that nobody decided on in time."""
        due = [("state", "=", PENDING), ("expires_at", "<=", fields.Datetime.now())]
        return self.sudo().search(due)._end("expired")

    @api.model
    def _notice(self, title, message, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": title,
                "message": message,
                "type": kind,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
