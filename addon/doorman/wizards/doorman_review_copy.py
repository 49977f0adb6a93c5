from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..policy.refusal import _lt
from ..policy.shared import LIVE_STATUSES

BESIDE, INSTEAD = "beside", "instead"


class DoormanReviewCopy(models.TransientModel):
    """What becomes of the access that a copied or restored database brings along.

    What was revoked after the backup was made is valid again in what is restored from
    it, and nothing in it tells. So nothing is kept that nobody has ticked.
    """

    _name = "doorman.review.copy"
    _description = "Review a copied database"

    database_name = fields.Char("Original database", readonly=True)
    last_request = fields.Datetime("Last request in it", readonly=True)
    purpose = fields.Selection(
        [
            (BESIDE, "It runs beside the original: for testing or training"),
            (INSTEAD, "It takes the original's place: it was restored or moved"),
        ],
        "What is this database for?",
    )
    line_ids = fields.One2many("doorman.review.copy.line", "review_id")
    kept_count = fields.Integer(compute="_compute_kept_count")
    line_count = fields.Integer(compute="_compute_kept_count")
    pending_count = fields.Integer("Pending requests", readonly=True)

    @api.depends("line_ids.keep")
    def _compute_kept_count(self):
        for review in self:
            review.line_count = len(review.line_ids)
            review.kept_count = len(review.line_ids.filtered("keep"))

    @api.model_create_multi
    def create(self, vals_list):
        """With what is valid in this copy, of all companies: it is decided for the
        whole database, as switching access on is."""
        reviews = super().create([{} for _vals in vals_list])
        settings = self.env["doorman.settings"]._get().sudo()
        audit = self.env["doorman.audit"].sudo()
        last = audit.search([], order="id desc", limit=1)
        lines = self.env["doorman.review.copy.line"]._of_this_database()
        reviews.sudo().write(
            {
                "database_name": settings.database_name,
                "last_request": last.time,
                "line_ids": [Command.create(line) for line in lines],
                "pending_count": self._pending().search_count(self._waiting()),
            }
        )
        return reviews

    def _pending(self):
        return self.env["doorman.approval"].sudo()

    @staticmethod
    def _waiting():
        return [("state", "=", "pending")]

    def action_keep_all(self):
        """Tick every line."""
        self.line_ids.keep = True
        return self._shown()

    def action_keep_none(self):
        """Tick no line."""
        self.line_ids.keep = False
        return self._shown()

    def _shown(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_review_copy_action"
        )
        return action | {"res_id": self.id}

    def action_apply(self):
        """Make the copy a database of its own. Access stays off: switching it on is
        the next step.

        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if nothing was chosen, or this is not a copy (any more)
        """
        self.ensure_one()
        settings = self.env["doorman.settings"]
        settings._check_admin()
        if not self.purpose:
            raise UserError(self.env._("First choose what this database is for."))
        # Of several who press at once, one goes on.
        self.env.cr.execute("SELECT FROM doorman_settings WHERE singleton FOR UPDATE")
        if not settings._is_copy():
            raise UserError(
                self.env._("This database is not a copy, or has already been reviewed.")
            )
        original = settings._get().sudo().database_name
        if self.purpose == BESIDE:
            settings._end_copied_access()
            told = self.env._(
                "%(who)s: this copy of %(original)s runs beside it. All keys, logins "
                "and links that came with it have ended.",
                who=self.env.user.name,
                original=original,
            )
        else:
            told = self._take_place(original)
        settings._get().sudo().message_post(body=told)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _take_place(self, original):
        ended = self.line_ids.filtered(lambda line: not line.keep)
        # What has come since the dialog was opened was not looked at either.
        seen = {line._key() for line in self.line_ids}
        known = self.env["doorman.review.copy.line"]._of_this_database()
        unseen = [line for line in known if (line["kind"], line["record"]) not in seen]
        if unseen:
            raise UserError(
                self.env._("There is more now than this shows: open it again.")
            )
        ended._end()
        waiting = self._pending().search(self._waiting())
        reason = _lt("The database was restored from a copy of %s.", original)
        waiting._cancel(reason)
        connections = self.env["doorman.connection"].sudo()
        connections = connections.with_context(active_test=False)
        self.env["doorman.pickup"].sudo()._end(
            connections.search([("state", "!=", "revoked")])
        )
        # Not listed, as they let nobody in: until somebody unarchives them.
        connections.search(
            [
                ("active", "=", False),
                ("state", "in", ("inactive", *LIVE_STATUSES)),
            ]
        ).action_revoke()
        self.env["doorman.settings"]._take_over()
        return self.env._(
            "%(who)s: this copy of %(original)s takes its place. Kept: %(kept)s. "
            "Revoked: %(ended)s.",
            who=self.env.user.name,
            original=original,
            kept=", ".join((self.line_ids - ended).mapped("name")) or "-",
            ended=", ".join(ended.mapped("name")) or "-",
        )
