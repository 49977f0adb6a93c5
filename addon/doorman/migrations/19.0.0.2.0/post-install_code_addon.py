"""``run_sql`` and ``run_python`` moved to an addon of their own. It is installed where
one of them was switched on, and in the same run: Odoo looks for modules to install once
more after each round of loading.
"""

import logging

from odoo import SUPERUSER_ID, api
from odoo.modules.module import Manifest

_logger = logging.getLogger(__name__)

ADDON = "doorman_code"


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    module = env["ir.module.module"].search([("name", "=", ADDON)])
    if module.state == "installed":
        return
    settings = env["doorman.settings"]._get()
    if settings.allow_sql or settings.allow_shell:
        install(module)
        return
    # Nobody uses them. If that addon comes later, it makes them anew.
    cr.execute(
        """
        DROP FUNCTION IF EXISTS doorman_sql_one(text);
        DROP FUNCTION IF EXISTS doorman_sql_view(text);
        DROP FUNCTION IF EXISTS doorman_sql_rows(text, integer, integer)
        """
    )


def install(module):
    # A row alone may be left of a folder that is gone.
    if not module or not Manifest.for_addon(ADDON, display_warning=False):
        _logger.warning(
            "Doorman: the SQL or the shell tool is switched on in this database. Both "
            "are now in the addon %s, which is not on the addons path: they work "
            "again once you put it beside the addon doorman and install it (-i %s).",
            ADDON,
            ADDON,
        )
        return
    module.button_install()
