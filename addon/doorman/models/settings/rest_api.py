from odoo import api, models

from ...policy.api_values import ApiRefused
from ..mixins.doorman_api_mixin import utc


class DoormanSettings(models.Model):
    """The master switch in the REST API: it is seen there, and switched off."""

    _name = "doorman.settings"
    _inherit = ["doorman.settings", "doorman.api.mixin"]

    @api.model
    def api_server(self):
        """Whether the server is on.

        :return: ``{server}`` or ``{error}``
        """
        return self._api(lambda settings: {"server": settings._api_server()})

    @api.model
    def api_switch_off(self, values):
        """Shut the door for every connection, at once.

        :param dict values: ``{enabled: False}``
        :return: ``{server}`` or ``{error}``
        """
        return self._api(lambda settings: settings._api_switch_off(values))

    def _api_switch_off(self, values):
        if type(values) is not dict or values.keys() != {"enabled"}:
            raise self._api_invalid("values", values)
        if self._api_typed("enabled", values["enabled"], bool):
            raise ApiRefused(
                "would_widen",
                self.env._(
                    "enabled: the API can only switch the server off, not on. Switch "
                    "it on in Odoo, in Server Settings."
                ),
            )
        self._get().action_disable()
        return {"server": self._api_server()}

    def _api_server(self):
        settings = self._get().sudo()
        return {
            "enabled": settings.enabled,
            "all_read_only": settings.all_read_only,
            "mcp_url": settings.mcp_url or "",
            "service_version": settings.gateway_version or "",
            "service_last_seen": utc(settings.gateway_last_seen) or None,
        }
