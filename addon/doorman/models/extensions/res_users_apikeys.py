from odoo import models


class ResUsersApikeys(models.Model):
    _inherit = "res.users.apikeys"

    def unlink(self):
        # The service's own key is kept in a cache (doorman.settings): a removed key
        # must end at once.
        self.env.registry.clear_cache()
        return super().unlink()
