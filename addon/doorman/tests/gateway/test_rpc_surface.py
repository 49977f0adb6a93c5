import inspect
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import tagged

from ..common import ROLES, DoormanCase

# Every public method that this addon defines or overrides. Anyone with an account
# can call them over RPC with any arguments: a new one is added here by a person who
# has thought about that, together with a test of who may call it.
PUBLIC = {
    "base": {"create", "unlink", "write"},
    "base.module.uninstall": {"action_doorman_audit"},
    "doorman.approval": {
        "action_approve",
        "action_approve_many",
        "action_approve_or_open",
        "action_cancel",
        "action_open_reject",
        "action_reject",
    },
    "doorman.audit": {
        "api_erase",
        "api_export",
        "api_verify",
        "create",
        "write",
    },
    "doorman.connect.wizard": {
        "action_back",
        "action_choose",
        "action_choose_browser",
        "action_choose_client",
        "action_choose_key",
        "action_connect",
        "action_give_permissions",
        "action_make_client",
        "first_call",
    },
    "doorman.connection": {
        "access_state",
        "action_activate",
        "action_approve_outward",
        "action_ask_revoke",
        "action_email_pickup_link",
        "action_give_permissions",
        "action_open_approvals",
        "action_open_audit",
        "action_open_invite",
        "action_open_requests",
        "action_pickup_link",
        "action_reactivate",
        "action_revoke",
        "action_rotate_key",
        "api_connect",
        "api_connection",
        "api_connections",
        "api_disconnect",
        "api_narrow",
        "api_rotate",
        "api_usage",
        "explain",
        "first_call",
        "test_connection",
        "unlink",
        "write",
    },
    "doorman.dialog.mixin": {"create", "default_get", "onchange", "write"},
    "doorman.gateway": {
        "approval_status",
        "call",
        "fields",
        "file_link",
        "file_open",
        "file_put",
        "file_take",
        "hello",
        "json_call",
        "oauth_assert",
        "oauth_begin",
        "oauth_client",
        "oauth_redeem",
        "oauth_refresh",
        "oauth_register",
        "oauth_revoke",
        "record",
        "resolve",
        "run_job",
        "sync_catalog",
    },
    "doorman.invite": {
        "action_ask_revoke",
        "action_open_connections",
        "action_revoke",
        "action_revoke_all",
        "api_create",
        "api_get",
        "api_list",
        "api_revoke",
        "create",
    },
    "doorman.invite.wizard": {"action_create_invite"},
    "doorman.oauth.client": {
        "action_end",
        "action_open_connections",
        "action_restore",
        "action_rotate_secret",
    },
    "doorman.oauth.issuer": {
        "action_confirm",
        "action_new_client",
        "create",
        "unlink",
        "write",
    },
    "doorman.issuer.client": {"action_make"},
    "doorman.policy.change": {"action_confirm", "action_reject"},
    "doorman.policy.line.mixin": {"create", "unlink", "write"},
    "doorman.policy.mixin": {"create", "write"},
    "doorman.protected.mixin": {
        "create",
        "default_get",
        "message_new",
        "message_update",
        "write",
    },
    "doorman.shown.mixin": {"create", "write"},
    "doorman.reject": {"action_reject"},
    "doorman.key.report": {"action_open_connection"},
    "doorman.approve.many": {"action_approve"},
    "doorman.revoke.many": {"action_revoke"},
    "doorman.rotate.key": {"action_rotate"},
    "doorman.explain": {"action_explain"},
    "doorman.record.history": {"action_erase", "action_show"},
    "doorman.rotate.service.key": {"action_rotate"},
    "doorman.review.copy": {
        "action_apply",
        "action_keep_all",
        "action_keep_none",
        "create",
    },
    "doorman.review.copy.line": {"write"},
    "doorman.settings": {
        "action_allow_changes",
        "action_disable",
        "action_enable",
        "action_generate_service_key",
        "action_make_read_only",
        "action_new_webhook_secret",
        "action_review_copy",
        "action_test_notice",
        "action_use_gateway_url",
        "api_rotate_service_key",
        "api_server",
        "api_switch_off",
        "write",
    },
    "doorman.undo.dialog": {"action_undo", "create", "write"},
    "doorman.undo.mixin": {"action_undo"},
    "doorman.thread.mixin": {"message_mail_with_source", "message_notify"},
    "doorman.overview": {"data"},
    "doorman.own.tool": {
        "action_publish",
        "action_withdraw",
        "copy_data",
        "unlink",
        "write",
    },
    "doorman.own.tool.parameter": {"create", "unlink", "write"},
    "doorman.tool": {"create", "write"},
    "ir.actions.server": {"create", "unlink", "write"},
    # Odoo's own, which it keeps from everybody but administrators.
    "ir.mail_server": {"send_email"},
    "ir.http": {"session_info"},
    "ir.module.module": {"module_uninstall"},
    "mail.activity": {"unlink", "write"},
    "mail.message": {"create", "write"},
    "res.groups": {"create", "unlink", "write"},
    "res.partner": {"write"},
    "res.users": {
        "action_doorman_connections",
        "action_doorman_invites",
        "action_doorman_revoke_all",
        "create",
        "unlink",
        "write",
    },
    "res.users.apikeys": {"unlink"},
    "doorman.widening.mixin": {"action_open_changes", "create", "write"},
}

GATEWAY_CALLS = {
    "hello": {},
    "resolve": {"proof": "0" * 64},
    "call": {"fence": {}, "request": {}},
    "fields": {"fence": {}, "model": "res.partner"},
    "file_link": {"fence": {}, "ticket": 1, "digest": "0" * 64},
    "file_open": {"proof": "0" * 64},
    "file_take": {"proof": "0" * 64},
    "file_put": {"proof": "0" * 64, "content": "eA=="},
    "record": {"events": []},
    "approval_status": {"fence": {}, "request_id": 1},
    "oauth_register": {"registration": {}},
    "oauth_client": {"client_id": "x"},
    "oauth_begin": {"request": {}},
    "oauth_redeem": {"grant": {}},
    "oauth_refresh": {"grant": {}},
    "oauth_revoke": {"grant": {}},
    "oauth_assert": {"grant": {}},
    "sync_catalog": {"tools": []},
    "run_job": {"name": "fold_use"},
    "json_call": {"method": "hello", "payload": "{}"},
}

# Who may call an action on the connection of ``user``. The others are refused.
ACTIONS = {
    "action_revoke": {"user", "admin"},
    "action_reactivate": {"user", "admin"},
    "action_rotate_key": {"user", "admin"},
    "action_open_approvals": {"user", "admin", "auditor"},
    "action_open_audit": {"user", "admin", "auditor"},
    "action_open_requests": {"user", "admin", "auditor"},
    "action_activate": {"admin"},
    "action_open_invite": {"admin"},
    "action_pickup_link": {"admin"},
    "action_email_pickup_link": {"admin"},
}
SETTINGS_ACTIONS = (
    "action_enable",
    "action_disable",
    "action_make_read_only",
    "action_allow_changes",
    "action_generate_service_key",
    "action_use_gateway_url",
    "action_new_webhook_secret",
    "action_test_notice",
)


def public_methods(env, addon):
    """``{model: names}`` of what an addon's classes define and RPC reaches."""
    found = {}
    for name in env.registry:
        model = env[name]
        for cls in type(model)._model_classes__:
            if not cls.__module__.startswith(f"odoo.addons.{addon}."):
                continue
            for attribute, value in vars(cls).items():
                if inspect.isfunction(value) and is_reachable(model, attribute):
                    model_name = cls._name or name
                    found.setdefault(model_name, set()).add(attribute)
    return found


def is_reachable(model, name):
    try:
        return bool(get_public_method(model, name))
    except AccessError:
        return False


@tagged("post_install", "-at_install")
class TestRpcSurface(DoormanCase):
    def test_every_public_method_is_known(self):
        self.assertEqual(public_methods(self.env, "doorman"), PUBLIC)

    def test_the_gateway_refuses_everyone_but_the_service(self):
        self.assertEqual(set(GATEWAY_CALLS), PUBLIC["doorman.gateway"])
        system = self._person("system", ["base.group_system"])
        people = {**self.people, "system": system, "root": self.env.user}
        for method, arguments in GATEWAY_CALLS.items():
            for role, person in people.items():
                with self.subTest(method=method, role=role):
                    gateway = self.env["doorman.gateway"].with_user(person)
                    with self.assertRaises(AccessError):
                        getattr(gateway, method)(**arguments)

    def test_being_sudo_does_not_make_one_the_service(self):
        gateway = self.env["doorman.gateway"].with_user(self.people["impostor"])
        for method, arguments in GATEWAY_CALLS.items():
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(gateway.sudo(), method)(**arguments)

    def test_json_call_reaches_listed_methods_only(self):
        names = ("json_call", "_run", "_fence_row", "sudo", "__class__", "write", "")
        for name in names:
            with self.subTest(name=name), self.assertRaises(UserError):
                self.gateway.json_call(name, "{}")

    def test_json_call_answers_as_the_method_does(self):
        answer = self.gateway.json_call("record", '{"events": []}')
        self.assertEqual(answer, '{"recorded": 0}')

    def test_connection_actions(self):
        for method, allowed in ACTIONS.items():
            for role in ROLES:
                with self.subTest(method=method, role=role):
                    connection = self.connection.with_user(self.people[role])
                    dead = method == "action_reactivate"
                    self.connection._inside().state = "revoked" if dead else "idle"
                    with patch("odoo.addons.doorman.models.notices.links.send_link"):
                        found = self.outcome(getattr(connection, method))
                    expected = "allow" if role in allowed else "deny"
                    self.assertEqual(found, expected)

    def test_client_actions(self):
        vals = {
            "name": "Bot",
            "client_type": "confidential",
            "redirect_uris": "https://a.example.com/cb",
            "user_id": self.people["user"].id,
        }
        client, _secret = self.env["doorman.oauth.client"]._make_custom(vals)
        for method in sorted(PUBLIC["doorman.oauth.client"]):
            for role in (*ROLES, "service"):
                with self.subTest(method=method, role=role):
                    client._inside().active = True
                    person = self.people.get(role, self.service)
                    mine = client.with_env(self.env).with_user(person)
                    shows = method == "action_open_connections" and role == "auditor"
                    expected = "allow" if role == "admin" or shows else "deny"
                    self.assertEqual(self.outcome(getattr(mine, method)), expected)

    def test_settings_actions(self):
        for method in SETTINGS_ACTIONS:
            for role in ROLES:
                with self.subTest(method=method, role=role):
                    settings = self.settings.with_user(self.people[role])
                    expected = "allow" if role == "admin" else "deny"
                    self.assertEqual(self.outcome(getattr(settings, method)), expected)

    def test_settings_actions_without_a_record(self):
        empty = self.env["doorman.settings"].with_user(self.people["user"])
        for method in SETTINGS_ACTIONS:
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(empty, method)()

    def test_actions_on_own_and_others_connections_at_once(self):
        both = (self.connection | self.connection2).with_user(self.people["user"])
        with self.assertRaises(AccessError):
            both.action_revoke()
        self.assertEqual(self.connection.state, "awaiting")

    def test_the_service_manages_no_connection(self):
        connection = self.connection.with_user(self.service)
        for method in ACTIONS:
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(connection, method)()

    def test_rotating_wants_a_live_api_key_connection(self):
        mine = self.connection.with_user(self.people["user"])
        for state in ("inactive", "revoked", "expired"):
            self.connection._inside().state = state
            with self.subTest(state=state), self.assertRaises(UserError):
                mine.action_rotate_key()
