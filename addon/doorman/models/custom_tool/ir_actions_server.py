from functools import reduce
from operator import getitem

from odoo import api, models
from odoo.fields import Command

from ...policy import custom_tool_run


class IrActionsServer(models.Model):
    """Server actions that are published as tools.

    Odoo itself runs everything but code with all rights, once it has checked that the
    user may write the records. For a connection the usual kinds are done with the
    rights and record rules of its user.
    """

    _inherit = "ir.actions.server"

    # ---- looked at again ----

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        self.env["doorman.own.tool"]._withdraw_changed()
        return actions

    def write(self, vals):
        res = super().write(vals)
        self.env["doorman.own.tool"]._withdraw_changed()
        return res

    def unlink(self):
        res = super().unlink()
        self.env["doorman.own.tool"]._withdraw_changed()
        return res

    # ---- run ----

    def _get_eval_context(self, action=None):
        """``doorman``: the parameters of the tool, checked; empty anywhere else."""
        found = super()._get_eval_context(action=action)
        if action is not None and action._name == self._name:
            run = custom_tool_run.current(self.env.cr, action)
            found["doorman"] = run.parameters if run else custom_tool_run.NOTHING
        return found

    def _run_action_code_multi(self, eval_context=None):
        res = super()._run_action_code_multi(eval_context=eval_context)
        run = custom_tool_run.current(self.env.cr, self)
        if run and eval_context.get("result") is not None:
            run.result = eval_context["result"]
        return res

    def _run_action_multi(self, eval_context=None):
        run = custom_tool_run.current(self.env.cr, self)
        if not run:
            return super()._run_action_multi(eval_context=eval_context)
        res = False
        for child in self.child_ids.sorted():
            env = run.env(context=self.env.context)
            res = child.with_env(env).run() or res
        return res

    def _run_action_object_write(self, eval_context=None):
        run = custom_tool_run.current(self.env.cr, self)
        if not run or not self.update_path:
            return super()._run_action_object_write(eval_context=eval_context)
        vals = self._eval_value(eval_context=eval_context)
        path = self.update_path.split(".")
        target = reduce(getitem, path[:-1], self._doorman_record(run))
        return target.write({self.update_field_id.name: vals[self.id]})

    def _run_action_object_create(self, eval_context=None):
        run = custom_tool_run.current(self.env.cr, self)
        if not run:
            return super()._run_action_object_create(eval_context=eval_context)
        made, _name = run.env[self.crud_model_id.model].name_create(self.value)
        return self._doorman_link(run, made)

    def _run_action_object_copy(self, eval_context=None):
        run = custom_tool_run.current(self.env.cr, self)
        if not run:
            return super()._run_action_object_copy(eval_context=eval_context)
        source = run.env[self.crud_model_id.model].browse(self.resource_ref.id)
        return self._doorman_link(run, source.copy().id)

    def _doorman_record(self, run):
        record = run.env[self.model_id.model].browse(self.env.context.get("active_id"))
        # Written below with the user's own rights: a path to another record does not
        # get around those to this one.
        record.check_access("write")
        return record

    def _doorman_link(self, run, ident):
        field = self.link_field_id
        if field:
            many = field.ttype in ("one2many", "many2many")
            value = [Command.link(ident)] if many else ident
            self._doorman_record(run).write({field.name: value})
        return False
