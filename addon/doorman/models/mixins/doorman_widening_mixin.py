from odoo import api, fields, models

from ...policy import widening

CHANGES = "doorman.policy.change"


class DoormanWideningMixin(models.AbstractModel):
    """Records whose policy one administrator alone may not widen, where the settings
    say so; elsewhere, all of them are told.

    What was written is looked at once it is there, whatever way it came: values of a
    form or of RPC, defaults of a context, a file that is imported, a copy. What widens
    is then taken back, and put before another administrator.
    """

    _name = "doorman.widening.mixin"
    _description = "Doorman: changes that take two administrators"

    pending_change_count = fields.Integer(
        "Pending changes", compute="_compute_pending_change_count"
    )

    def _compute_pending_change_count(self):
        for record in self:
            domain = record._changes_domain() + [("state", "=", "pending")]
            found = self.env[CHANGES].sudo().search_count(domain)
            record.pending_change_count = found

    def _changes_domain(self):
        return [("connection_id", "=", False)]

    def action_open_changes(self):
        """The changes that wait, or have, for a second administrator."""
        self.ensure_one()
        self.check_access("read")
        xmlid = "doorman.doorman_policy_change_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return action | {"domain": self._changes_domain(), "context": {}}

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su:
            # What our own code makes comes of a policy that was looked at; the first
            # settings are made when there are none to look at.
            return super().create(vals_list)
        two = self._takes_two()
        records = super().create(vals_list)
        before = {name: widening.of_new(name) for name in self._watched()}
        records._look(dict.fromkeys(records.ids, before), two)
        return records

    def write(self, vals):
        watched = self._watched() & vals.keys()
        if self.env.su or not watched:
            return super().write(vals)
        two = self._takes_two()
        before = {r.id: {name: r[name] for name in watched} for r in self.sudo()}
        res = super().write(vals)
        self._look(before, two)
        return res

    # ---- what widens ----

    def _watched(self):
        return widening.FIELDS & self._fields.keys()

    @api.model
    def _takes_two(self):
        return self.env["doorman.settings"]._get().sudo().four_eyes

    def _limit_in_force(self, name, value):
        """:return: a limit as it works out, if the field holds that value"""
        return value

    def _look(self, before, two):
        """Look at what has been written.

        :param dict before: id -> name -> what the fields held
        :param bool two: whether two administrators have to agree to what widens
        """
        for record in self:
            found = record.sudo()
            wider = {
                name: (value, found[name])
                for name, value in before[record.id].items()
                if record._gets_wider(name, value, found[name])
            }
            if wider and two:
                found.write({name: value for name, (value, _new) in wider.items()})
                self.env[CHANGES]._ask(record, wider)
            elif wider:
                self.env[CHANGES]._tell(record, wider)

    def _gets_wider(self, name, before, after):
        if name in widening.OFF_FROM:
            before = self._limit_in_force(name, before)
            after = self._limit_in_force(name, after)
        return widening.widens(name, before, after)
