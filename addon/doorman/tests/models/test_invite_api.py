import json
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy.credentials import token_digest
from ..common import ROLES, DoormanCase, PatientHttpCase
from ..invite_common import InviteMixin

URL = "https://mcp.example.com"
SEED = {
    "scopes": ["mcp:orm", "mcp:search", "mcp:metadata"],
    "max_uses": 5,
    "expires_in_seconds": 72 * 3600,
    "key_name_preset": "External Dev MCP Key",
}


@tagged("post_install", "-at_install")
class TestInviteApi(InviteMixin, DoormanCase):
    """What the REST API calls: plain JSON in, plain JSON or a stable code out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings.public_url = URL

    def _api(self, role="admin"):
        return self.env["doorman.invite"].with_user(self.people[role])

    def _create(self, role="admin", **values):
        return self._api(role).api_create({"scopes": ["mcp:search"]} | values)

    def _code(self, answer):
        return answer.get("error", {}).get("code", "ok")

    def test_create_as_in_the_seed(self):
        answer = self._api().api_create(SEED)
        json.dumps(answer)
        self.assertRegex(answer["invite_url"], rf"^{URL}/oauth/invite/[\w-]{{43}}$")
        invite = answer["invite"]
        self.assertEqual(invite["max_uses"], 5)
        self.assertEqual(invite["current_uses"], 0)
        self.assertEqual(set(invite["scopes"]), set(SEED["scopes"]))
        self.assertEqual(invite["key_name_preset"], SEED["key_name_preset"])
        self.assertRegex(invite["expires_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(invite["created_by"], "dm-admin")
        self.assertEqual(invite["state"], "active")
        token = answer["invite_url"].rpartition("/")[2]
        found = self.env["doorman.invite"]._by_digest(token_digest(token))
        self.assertEqual(found.id, invite["id"])
        self.assertNotIn(token, json.dumps(self._api().api_get(invite["id"])))

    def test_defaults(self):
        invite = self._create()["invite"]
        made = self.env["doorman.invite"].browse(invite["id"])
        hours = (made.expires_at - fields.Datetime.now()).total_seconds() / 3600
        self.assertAlmostEqual(hours, 72, delta=0.1)
        self.assertEqual(invite["max_uses"], 1)
        self.assertEqual(invite["key_lifetime_hours"], 2160)
        self.assertFalse(invite["new_accounts"])
        self.assertEqual(invite["accept_list"], [])

    def test_the_whole_policy_comes_back(self):
        self.tool("t1")
        values = self.whole_policy() | {
            "max_uses": 3,
            "key_name_preset": "K",
            "key_lifetime_hours": 36,
            "accept_list": ["ann@example.com", "@b.example"],
            "new_accounts": True,
            "account_groups": ["base.group_user"],
            "description": "Why",
        }
        values["approval_rules"].append(
            {
                "risk": "",
                "model": "",
                "tool": "t1",
                "more_than": 20,
                "per_day": True,
                "reads": False,
            }
        )
        answer = self._api().api_create(values)
        self.assertEqual(self._code(answer), "ok", answer)
        invite = answer["invite"]
        self.assertEqual({name: invite[name] for name in values}, values)

    def test_where_no_address_is_known(self):
        self.settings.public_url = False
        url = self._create()["invite_url"]
        self.assertRegex(url, r"/doorman/invite#[\w-]{43}$")

    # ---- refused ----

    def test_who(self):
        invite = self._create()["invite"]
        calls = {
            "api_create": (SEED,),
            "api_list": (),
            "api_get": (invite["id"],),
            "api_revoke": (invite["id"],),
        }
        count = self.env["doorman.invite"].search_count([])
        for role in (*ROLES, "service"):
            self.people["service"] = self.service
            if role == "admin":
                continue
            for name, arguments in calls.items():
                with self.subTest(role=role, method=name):
                    answer = getattr(self._api(role), name)(*arguments)
                    self.assertEqual(self._code(answer), "forbidden")
                    self.assertEqual(set(answer), {"error"})
        self.assertEqual(self.env["doorman.invite"].search_count([]), count)
        for name, arguments in calls.items():
            answer = getattr(self._api(), name)(*arguments)
            self.assertEqual(self._code(answer), "ok", name)

    def test_more_than_one_has(self):
        other = self.env["res.company"].create({"name": "Other"})
        rows = (
            ({"scopes": ["mcp:sql"]}, "scopes_exceeded"),
            ({"scopes": ["mcp:search", "mcp:shell"]}, "scopes_exceeded"),
            (
                {
                    "new_accounts": True,
                    "account_groups": ["base.group_system"],
                },
                "groups_exceeded",
            ),
            ({"companies": other.ids}, "companies_exceeded"),
        )
        count = self.env["doorman.invite"].search_count([])
        for values, code in rows:
            with self.subTest(values=values):
                self.assertEqual(self._code(self._create(**values)), code)
        self.assertEqual(self.env["doorman.invite"].search_count([]), count)
        said = self._create(scopes=["mcp:sql"])["error"]["message"]
        self.assertEqual(said, "requested scopes exceed admin's own permissions")

    def test_values_that_are_refused(self):
        bad = (
            {"scopes": []},
            {"scopes": "mcp:search"},
            {"scopes": ["mcp:everything"]},
            {"scopes": [1]},
            {"scopes": [["mcp:search"]]},
            {"max_uses": 0},
            {"max_uses": "5"},
            {"max_uses": True},
            {"max_uses": 1.5},
            {"max_uses": 2**40},
            {"expires_in_seconds": 0},
            {"expires_in_seconds": -1},
            {"expires_in_seconds": 366 * 24 * 3600},
            {"expires_in_seconds": "72h"},
            {"key_name_preset": ""},
            {"key_name_preset": 5},
            {"key_name_preset": "a\0b"},
            {"key_lifetime_hours": -1},
            {"read_only": 1},
            {"allowed_tools": ["no_such_tool"]},
            {"allowed_models": ["no.such.model"]},
            {"allowed_ips": ["nonsense"]},
            {"allowed_ips": ["192.0.2.1\n0.0.0.0/0"]},
            {"accept_list": ["a\nb"]},
            {"accept_list": [""]},
            {"approver": "nobody"},
            {"approver": "dm-portal"},
            {"approver_group": "base.user_admin"},
            {"approver_group": "nonsense"},
            {"account_groups": ["base.group_user"]},
            {"account_groups": ["base.nonsense"], "new_accounts": True},
            {"approval_rules": [{"risk": "extreme"}]},
            {"approval_rules": [{"risk": "high", "connection_id": 1}]},
            {"approval_rules": [{}]},
            {"approval_rules": "x"},
            {"model_rules": "x"},
            {"model_rules": [5]},
            {"model_rules": [{"invite_id": 1}]},
            {"model_rules": [{"model": "no.such.model"}]},
            {"model_rules": [{"model": "ir.rule"}]},
            {"model_rules": [{"read": "yes"}]},
            {"model_rules": [{"read": False, "write": True}]},
            {"model_rules": [{"domain": "[('id', '=', 1)]"}]},
            {"model_rules": [{"model": "res.partner", "domain": "[('x', '=', user)]"}]},
            {"model_rules": [{"model": "res.partner", "hidden": ["nope"]}]},
            {"model_rules": [{"model": "res.partner", "masked": ["color"]}]},
            {"model_rules": [{}, {}]},
            {"companies": ["1"]},
            {"state": "active"},
            {"creator_id": 1},
            {"scope_ids": [[6, 0, [1]]]},
            {"nonsense": 1},
        )
        count = self.env["doorman.invite"].search_count([])
        for values in bad:
            with self.subTest(values=values):
                self.assertEqual(self._code(self._create(**values)), "invalid_input")
        for values in (None, [], "x", 5):
            answer = self._api().api_create(values)
            self.assertEqual(self._code(answer), "invalid_input")
        self.assertEqual(self.env["doorman.invite"].search_count([]), count)

    def test_what_does_not_exist(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.people["far"] = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        far = self._create("far")["invite"]["id"]
        for invite_id in (far, 0, -1, 2**31, 2**70, "1", None, [1], True):
            for name in ("api_get", "api_revoke"):
                with self.subTest(id=invite_id, method=name):
                    answer = getattr(self._api(), name)(invite_id)
                    self.assertEqual(self._code(answer), "not_found")
        self.assertEqual(self._api("far").api_get(far)["invite"]["state"], "active")

    # ---- list, revoke ----

    def test_list(self):
        made = [self._create()["invite"]["id"] for _time in range(3)]
        self._api().api_revoke(made[0])
        answer = self._api().api_list(limit=2)
        self.assertEqual([i["id"] for i in answer["invites"]], made[:0:-1])
        self.assertEqual(answer["total"], 3)
        answer = self._api().api_list(limit=2, offset=2)
        self.assertEqual([i["id"] for i in answer["invites"]], made[:1])
        answer = self._api().api_list(state="revoked")
        self.assertEqual([i["id"] for i in answer["invites"]], made[:1])
        for arguments in (
            {"limit": 0},
            {"limit": 501},
            {"limit": "1"},
            {"offset": -1},
            {"state": "nonsense"},
        ):
            with self.subTest(arguments=arguments):
                answer = self._api().api_list(**arguments)
                self.assertEqual(self._code(answer), "invalid_input")

    def test_what_is_no_text(self):
        for state in ([], {}, 1, True):
            with self.subTest(state=state):
                answer = self._api().api_list(state=state)
                self.assertEqual(self._code(answer), "invalid_input")
        for name in ("\ud800", "a\0b"):
            with self.subTest(name=repr(name)):
                answer = self._create(key_name_preset=name)
                self.assertEqual(self._code(answer), "invalid_input")

    def test_revoke(self):
        answer = self._create(max_uses=2)
        token = answer["invite_url"].rpartition("/")[2]
        self.accept(token)
        invite_id = answer["invite"]["id"]
        [who] = self._api().api_get(invite_id)["invite"]["acceptances"]
        self.assertEqual(who["login"], "dm-internal")
        self.assertEqual(who["ip"], "192.0.2.9")
        self.assertEqual(who["connection_state"], "awaiting")
        for connections, ended in ((False, 0), (True, 1), (True, 0), (False, 0)):
            answer = self._api().api_revoke(invite_id, connections=connections)
            self.assertEqual(answer["invite"]["state"], "revoked")
            self.assertEqual(answer["revoked_connections"], ended)
        answer = self._api().api_revoke(invite_id, connections="yes")
        self.assertEqual(self._code(answer), "invalid_input")
        self.assertIsNone(self.accept(token, "user"))


@tagged("post_install", "-at_install")
class TestInviteApiOverHttp(InviteMixin, PatientHttpCase):
    """As the service calls: JSON-2, with the administrator's own key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()

    def _key(self, role):
        keys = self.env["res.users.apikeys"].with_user(self.people[role]).sudo()
        later = fields.Datetime.now() + timedelta(days=1)
        return keys._generate("rpc", "x", later)

    def _call(self, key, method, **arguments):
        self.env.flush_all()
        return self.url_open(
            f"/json/2/doorman.invite/{method}",
            data=json.dumps(arguments),
            headers={
                "Authorization": f"bearer {key}",
                "Content-Type": "application/json",
            },
        )

    def test_by_key(self):
        answer = self._call(self._key("admin"), "api_create", values=SEED)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("invite_url", answer.json())
        answer = self._call(self._key("user"), "api_create", values=SEED)
        self.assertEqual(answer.json()["error"]["code"], "forbidden")
        for key in ("x" * 40, self.credential, self.credential[4:]):
            with self.subTest(key=key[:4]):
                answer = self._call(key, "api_create", values=SEED)
                self.assertEqual(answer.status_code, 401)

    @mute_logger("odoo.http")
    def test_what_is_private_stays_so(self):
        key = self._key("admin")
        for method in ("_make", "_accept", "create", "write", "unlink"):
            with self.subTest(method=method):
                vals = {"scope_ids": [Command.set([1])]}
                answer = self._call(key, method, ids=[], vals=vals)
                self.assertGreaterEqual(answer.status_code, 400)
        self.assertFalse(self.env["doorman.invite"].search([]))
