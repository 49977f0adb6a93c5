from odoo import api, models, tools
from odoo.exceptions import UserError

from ...policy import list_view


class IrUiView(models.Model):
    """What Odoo's own lists and searches show of a model, to the user of the
    environment. Worked out once for each set of groups."""

    _inherit = "ir.ui.view"

    @api.model
    def _doorman_columns(self, model):
        """The columns of a model's list, and of the lists that its menus open.

        :param str model: technical name
        :return: two tuples of names of fields: those that show, and those that a person
            can have shown; both empty for a model without a list
        """
        if not self._doorman_forms(model, "list"):
            return (), ()
        menus = self.env["ir.ui.menu"]
        lists = [0]
        for window in menus._doorman_windows():
            if window.model == model:
                lists += window.lists
        groups = menus._doorman_groups()
        found = [
            self._doorman_columns_of(model, view_id, groups)
            for view_id in dict.fromkeys(lists)
        ]
        shown = dict.fromkeys(name for one, _more in found for name in one)
        hidden = dict.fromkeys(name for _one, more in found for name in more)
        return tuple(shown), tuple(name for name in hidden if name not in shown)

    @api.model
    @tools.ormcache("model", "view_id", "groups", cache="templates")
    def _doorman_columns_of(self, model, view_id, groups):
        arch = self._doorman_arch(model, view_id, "list")
        return list_view.columns(arch) if arch else ((), ())

    @api.model
    def _doorman_filters(self, model, view_id):
        """:return: the filters of a search view; see ``list_view.filters``"""
        groups = self.env["ir.ui.menu"]._doorman_groups()
        return self._doorman_filters_of(model, view_id, groups)

    @api.model
    @tools.ormcache("model", "view_id", "groups", cache="templates")
    def _doorman_filters_of(self, model, view_id, groups):
        arch = self._doorman_arch(model, view_id, "search")
        return list_view.filters(arch) if arch else ()

    @api.model
    def _doorman_arch(self, model, view_id, kind):
        """A view as its user gets it; "" where they get none."""
        # Nothing of the present context: it can name another view.
        # pylint: disable-next=context-overridden
        plain = self.env[model].with_context({})
        try:
            return plain.get_view(view_id or None, kind)["arch"]
        except UserError:
            return ""
