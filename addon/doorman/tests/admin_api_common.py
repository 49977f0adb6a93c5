import json

from odoo.fields import Command

from .invite_common import InviteMixin

SERVER = ("api_server", "api_switch_off")


class AdminApiMixin(InviteMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.env["res.company"].create({"name": "Other"})
        groups = ["doorman.group_admin"]
        far = {"company_id": other.id, "company_ids": [Command.set(other.ids)]}
        # An administrator of another company, and somebody there.
        cls.people["far"] = cls._person("far", groups, **far)
        cls.people["colleague"] = cls._person("colleague", ["base.group_user"], **far)
        cls.people["service"] = cls.service
        cls.far_company = other

    def _api(self, role="admin", model="doorman.connection"):
        return self.env[model].with_user(self.people[role])

    def _ask(self, role, name, *arguments, **named):
        model = "doorman.settings" if name in SERVER else "doorman.connection"
        answer = getattr(self._api(role, model), name)(*arguments, **named)
        json.dumps(answer)
        return answer

    def _code(self, answer):
        return answer.get("error", {}).get("code", "ok")

    def _make(self, role="admin", **values):
        plain = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        return self._ask(role, "api_connect", plain | values)

    def _shown(self, connection=None):
        connection = connection or self.connection
        return self._ask("admin", "api_connection", connection.id)["connection"]

    def _narrow(self, connection=None, **values):
        connection = connection or self.connection
        return self._ask("admin", "api_narrow", connection.id, values)

    def _calls(self):
        """Each method, with arguments that do something."""
        new = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        mine = self.connection.id
        return {
            "api_connect": (new,),
            "api_connections": (),
            "api_connection": (mine,),
            "api_narrow": (mine, {"read_only": True}),
            "api_rotate": (mine,),
            "api_usage": (),
            "api_server": (),
            "api_switch_off": ({"enabled": False},),
            "api_disconnect": (mine,),
        }
