from odoo import api, models, tools
from odoo.exceptions import UserError
from odoo.http import request
from odoo.modules import Manifest
from odoo.service.server import thread_local

from ..policy.shared import INTERFACE

# Every request of the service says here which interface it speaks. Odoo's /jsonrpc and
# XML-RPC hide the request from what they call: there it is in the context.
HEADER = "X-Doorman-Interface"
CONTEXT_KEY = "doorman_interface"
UNSTATED = "1"

# Of the code that this process has loaded: what lies on the disk may be newer already.
CODE_VERSION = Manifest.for_addon("doorman").version

OTHER_SERVICE = (
    "Doorman is being updated: the service speaks interface %s, its addon in Odoo "
    "speaks %s. Nothing was done. If this continues, an administrator has to install "
    "the service and the addon of the same version."
)
OLD_DATABASE = (
    "Doorman is being updated: the addon's code is %s, its database is %s. Nothing was "
    "done. If this continues, an administrator has to run odoo -u doorman and "
    "restart Odoo."
)


class DoormanGateway(models.AbstractModel):
    """A service of another interface is refused before anything is done.

    Without this, a renamed argument would look like a mistake of the AI tool, and one
    with a default would go unnoticed.
    """

    _inherit = "doorman.gateway"

    def _check_caller(self):  # pylint: disable=missing-return
        super()._check_caller()
        misfit = self._misfit()
        if misfit:
            raise UserError(misfit)

    @api.model
    def hello(self, version="", url=""):
        """Also tells a service that does not fit what there is; the others get
        ``doorman.gateway``'s answer as well.

        :return: ``{interface, code_version, addon_version, ...}``: the version of the
            addon's code, and the one that the database was last updated to
        """
        # Not our own, which would refuse before anything is told.
        super()._check_caller()  # pylint: disable=super-method-mismatch
        # Before 2, services did not read the number: an answer would make them ready.
        if self._stated_interface() == UNSTATED:
            raise UserError(self._misfit())
        versions = {
            "interface": INTERFACE,
            "code_version": CODE_VERSION,
            "addon_version": self._database_version(),
        }
        # What else hello reads may not be in such a database yet.
        if self._misfit():
            return versions
        return super().hello(version, url) | versions

    def _misfit(self):
        """:return: why no call is taken right now, in words, or None"""
        stated = self._stated_interface()
        if stated not in (None, str(INTERFACE)):
            return OTHER_SERVICE % (stated[:20], INTERFACE)
        installed = self._database_version()
        if installed != CODE_VERSION:
            return OLD_DATABASE % (CODE_VERSION, installed)
        return None

    def _stated_interface(self):
        """What the service says that it speaks. None: it is Odoo itself that calls."""
        if request:
            return request.httprequest.headers.get(HEADER, UNSTATED)
        by_rpc = getattr(thread_local, "rpc_model_method", "")
        if by_rpc.startswith(f"{self._name}."):
            return str(self.env.context.get(CONTEXT_KEY, UNSTATED))
        return None

    @api.model
    @tools.ormcache()
    def _database_version(self):
        """The version that the database was last updated to. An update tells every
        process to drop its caches."""
        self.env.cr.execute(
            "SELECT latest_version FROM ir_module_module WHERE name = 'doorman'"
        )
        return self.env.cr.fetchone()[0] or ""
