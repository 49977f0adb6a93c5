from dataclasses import replace

from odoo import api, models, tools
from odoo.exceptions import UserError

from ...policy.form_view import (
    ACTION,
    ALWAYS,
    FormView,
    is_status_bar,
    read_form,
)


class IrUiView(models.Model):
    """What Odoo's own forms and lists say of a model: which buttons there are, what
    they carry, and what a person may click. Worked out once for each set of groups."""

    _inherit = "ir.ui.view"

    @api.model
    def _doorman_form(self, model, view_id=0, kind="form"):
        """A view of a model, as the user of the environment sees it.

        :param str model: technical name
        :param int view_id: 0 for the model's default view
        :param str kind: form or list
        :return: FormView; an empty one where the user may see none
        """
        groups = tuple(sorted(self.env.user._get_group_ids()))
        lang = self.env.lang or "en_US"
        return self._doorman_form_for(model, view_id or 0, kind, lang, groups)

    @api.model
    @tools.ormcache("model", "view_id", "kind", "lang", "groups", cache="templates")
    def _doorman_form_for(self, model, view_id, kind, lang, groups):
        # Nothing of the present context: it can name another view.
        # pylint: disable-next=context-overridden
        plain = self.env[model].with_context({"lang": lang})
        try:
            view = read_form(plain.get_view(view_id or None, kind)["arch"])
        except UserError:
            return FormView()
        return replace(view, buttons=tuple(map(self._doorman_named, view.buttons)))

    def _doorman_named(self, button):
        """:return: a button with what callers call it"""
        if button.kind != ACTION:
            return button
        action = self.env["ir.actions.actions"]._doorman_facts(button.name)
        return replace(button, method=action.name) if action else button

    @api.model
    @tools.ormcache("model", "kind", cache="templates")
    def _doorman_forms(self, model, kind="form"):
        """:return: the ids of the primary forms of a model, or of its lists, the
        default one first"""
        domain = [
            ("model", "=", model),
            ("type", "=", kind),
            ("mode", "=", "primary"),
        ]
        return tuple(self.sudo().search(domain, order="priority, name, id").ids)

    @api.model
    def _doorman_list_buttons(self, model):
        """The buttons of all lists of a model, in a tuple. Some are in no form: that of
        an inventory count, and the one that makes a bill of a purchase order."""
        lists = self._doorman_forms(model, "list")
        return sum((self._doorman_form(model, i, "list").buttons for i in lists), ())

    @api.model
    @tools.ormcache("model", cache="templates")
    def _doorman_workflow(self, model):
        """The fields that a form shows as where a record stands, and that only buttons
        move: no form has one that a person may click, or fill in.

        :return: a frozenset of names
        """
        bars, open_ = set(), set()
        # pylint: disable-next=context-overridden
        records = self.env[model].sudo().with_context({})
        for view_id in self._doorman_forms(model):
            # For all groups: whose they are does not matter to the record.
            view = read_form(records._get_view_cache(view_id, "form")["arch"])
            for node in view.fields:
                field = records._fields.get(node.name)
                if field is None:
                    continue
                if is_status_bar(node.widget):
                    bars.add(node.name)
                    if node.clickable:
                        open_.add(node.name)
                elif (
                    "True" not in node.hidden
                    and node.readonly not in ALWAYS
                    and (node.readonly or not field.readonly)
                ):
                    open_.add(node.name)
        return frozenset(bars - open_)

    @api.model
    @tools.ormcache("model", cache="templates")
    def _doorman_shown(self, model):
        """The fields that forms only show: some form has them, and none to fill in.

        :return: a frozenset of names
        """
        shown, open_ = set(), set()
        # pylint: disable-next=context-overridden
        records = self.env[model].sudo().with_context({})
        for view_id in self._doorman_forms(model):
            view = read_form(records._get_view_cache(view_id, "form")["arch"])
            for node in view.fields:
                (shown if node.readonly in ALWAYS else open_).add(node.name)
        return frozenset(shown - open_)
