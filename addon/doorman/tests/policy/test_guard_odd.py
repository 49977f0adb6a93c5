from odoo.fields import Command
from odoo.tests import tagged

from ...policy import closed_models
from ..common import DoormanCase

# (model name, kind): names that are not strings, and names in disguise.
MODELS = [
    ("res.users", "not_allowed"),
    ("res.partner ", "not_allowed"),
    (" res.partner", "not_allowed"),
    ("Res.Partner", "not_allowed"),
    ("res.partner\n", "not_allowed"),
    ("res․partner", "not_allowed"),
    ("res_partner", "not_allowed"),
    ("doorman.connection", "not_allowed"),
    ("doorman.audit", "not_allowed"),
    ("res.users.apikeys", "not_allowed"),
    ("ir.config_parameter", "not_allowed"),
    ("base", "not_allowed"),
    (5, "invalid_input"),
    (["res.partner"], "invalid_input"),
    ({"res.partner": 1}, "invalid_input"),
    (True, "invalid_input"),
]

METHODS = [
    "write", "create", "unlink", "sudo", "with_user", "browse", "search", "read_group",
    "web_read", "web_search_read", "name_search", "export_data", "copy", "load",
    "_read", "_search", "__class__", "__init__", "search_fetch", "fetch", "env",
    "web_read_group", "name_create", "default_get", "onchange", "get_views", "SEARCH",
    "search_count ", "read\n", "action_reset_password", "_fields", "pool", "",
]  # fmt: skip

ODD_FIELDS = [
    "nope", "Name", "name ", "parent_id.name", "country_id.code", "user_ids.login",
    "signup_token", "__class__", "_fields", "", "*", "id, name", "name:max", None, 5,
    ["name"], {"name": 1}, True, "ｎame", "name\x00",
]  # fmt: skip

ODD_IDS = [
    None, [], 1, "1", ["1"], [0], [-1], [1.0], [True], [None], [[1]], {}, [1, "2"],
]  # fmt: skip


@tagged("post_install", "-at_install")
class TestGuardOdd(DoormanCase):
    """Names, ids, floors and credentials; records that hang on others."""

    def _limit(self):
        self.allow_models("res.partner", "res.partner.category")
        return self.fence()

    def test_models(self):
        fence = self._limit()
        for name, kind in MODELS:
            for method, kwargs in (
                ("search_count", {"domain": []}),
                ("search_read", {"domain": [], "fields": ["id"]}),
                ("read", {"fields": ["id"]}),
                ("fields_get", {}),
            ):
                with self.subTest(model=name, method=method):
                    found = self.kind(name, method, [1], fence=fence, **kwargs)
                    self.assertEqual(found, kind)

    def test_without_a_list_only_the_floor_is_closed(self):
        fence = self.fence()
        for name in self.env.registry:
            if closed_models.on_floor(name):
                with self.subTest(model=name):
                    found = self.kind(name, "search_count", fence=fence, domain=[])
                    self.assertEqual(found, "not_allowed")
        self.assertEqual(self.kind("no.such", "search_count"), "unknown_model")
        self.assertEqual(self.kind("res.users", "search_count", domain=[]), "ok")

    def test_methods(self):
        fence = self._limit()
        for method in METHODS:
            with self.subTest(method=method):
                found = self.kind("res.partner", method, [1], fence=fence)
                self.assertEqual(found, "not_allowed")
        for method in ("read", "sudo", "__class__", "run", ""):
            with self.subTest(operation=method):
                self.assertEqual(self.kind("", method, fence=fence), "not_allowed")

    def test_fields(self):
        fence = self._limit()
        for name in ODD_FIELDS:
            for method, kwargs in (("search_read", {"domain": []}), ("read", {})):
                with self.subTest(field=name, method=method):
                    found = self.kind(
                        "res.partner", method, [1], fence=fence, fields=[name], **kwargs
                    )
                    self.assertIn(found, ("unknown_field", "not_allowed"))
        for names in (None, [], "name", {"name": 1}):
            with self.subTest(fields=names):
                found = self.kind("res.partner", "read", [1], fields=names)
                self.assertEqual(found, "invalid_input")

    def test_ids(self):
        fence = self._limit()
        for ids in ODD_IDS:
            with self.subTest(ids=ids):
                found = self.kind("res.partner", "read", ids, fence, fields=["name"])
                self.assertEqual(found, "invalid_input")

    def test_too_many_ids(self):
        ids = list(range(1, 20_000))
        found = self.kind("res.partner", "read", ids, fields=["name"])
        self.assertIn(found, ("invalid_input", "too_large"))

    def test_paging(self):
        fence = self.fence()
        for kwargs in (
            {"limit": -1}, {"limit": "1"}, {"limit": True}, {"limit": 10_001},
            {"limit": 1.5}, {"offset": -1}, {"offset": "0; --"}, {"offset": [1]},
            {"load": "_classic_write"}, {"self": 1}, {"context": {}}, {"order": [1]},
        ):  # fmt: skip
            with self.subTest(kwargs=kwargs):
                request = self.request("res.partner", "search_read")
                request["kwargs"] = {"domain": [], "fields": ["name"]} | kwargs
                answer = self.gateway.call(fence, request)
                self.assertEqual(answer["error"]["kind"], "invalid_input")

    # ---- credentials, in every position ----

    def test_credential_fields_in_every_position(self):
        fence = self.fence()
        for model, name in (
            ("res.users", "password"),
            ("res.users", "new_password"),
            ("res.users", "api_key_ids"),
            ("ir.attachment", "access_token"),
        ):
            positions = {
                "field": ("search_read", {"domain": [], "fields": [name]}),
                "domain": ("search_count", {"domain": [[name, "!=", False]]}),
                "id any": (
                    "search_count",
                    {"domain": [["id", "any", [[name, "!=", False]]]]},
                ),
                "any": (
                    "search_count",
                    {"domain": [["create_uid", "any", [["password", "=", "x"]]]]},
                ),
                "id any!": (
                    "search_count",
                    {"domain": [["id", "ANY!", [[name, "!=", False]]]]},
                ),
                "path": ("search_count", {"domain": [["create_uid.password", "=", 1]]}),
                "order": (
                    "search_read",
                    {"domain": [], "fields": ["id"], "order": f"{name} desc"},
                ),
                "group": ("formatted_read_group", {"groupby": [name]}),
                "measure": (
                    "formatted_read_group",
                    {"groupby": [], "aggregates": [f"{name}:max"]},
                ),
                "group path": (
                    "formatted_read_group",
                    {"groupby": ["create_uid.password"]},
                ),
            }
            for position, (method, kwargs) in positions.items():
                with self.subTest(field=f"{model}.{name}", position=position):
                    found = self.kind(model, method, fence=fence, **kwargs)
                    self.assertIn(found, ("not_allowed", "invalid_input"))
            with self.subTest(field=f"{model}.{name}", position="metadata"):
                metadata = self.call(model, "fields_get", fence=fence)["value"]
                self.assertNotIn(name, metadata["fields"])

    def test_paths_to_the_floor(self):
        fence = self.fence()
        for path in (
            "create_uid.log_ids.create_date",
            "user_ids.api_key_ids.name",
            "user_ids.log_ids.create_uid",
            "user_ids.device_ids.ip_address",
        ):
            rows = (
                [[path, "!=", False]],
                [["id", "any", [[path, "!=", False]]]],
                [["user_ids", "any", [["log_ids", "any", [["id", ">", 0]]]]]],
            )
            for domain in rows:
                with self.subTest(domain=domain):
                    found = self.kind(
                        "res.partner", "search_count", fence=fence, domain=domain
                    )
                    self.assertIn(found, ("not_allowed", "unknown_field"))

    def test_huge_and_deep_domains_end_well(self):
        fence = self.fence()
        deep = [["name", "=", "x"]]
        for _ in range(2_000):
            deep = [["parent_id", "any", deep]]
        domains = {
            "deep": deep,
            "not": ["!"] * 5_001 + [["name", "=", "x"]],
            "wide": ["|"] * 5_000 + [["name", "=", "x"]] * 5_001,
            "path": [[".".join(["parent_id"] * 2_000 + ["name"]), "=", "x"]],
        }
        for name, domain in domains.items():
            with self.subTest(domain=name):
                found = self.kind(
                    "res.partner", "search_count", fence=fence, domain=domain
                )
                self.assertIn(found, ("ok", "invalid_input", "too_large"))

    # ---- records that hang on others ----

    def _followers(self):
        """One attachment, message and activity on an allowed record, one each on a
        record of a model that is not."""
        user = self.people["user"]
        activity_type = self.env.ref("mail.mail_activity_data_todo").id
        made = {}
        for record in (user.partner_id, self.env.ref("base.main_company").partner_id):
            model, res_id = record._name, record.id
            if record != user.partner_id:
                model, res_id = "res.users", user.id
            made[model] = {
                "ir.attachment": self.env["ir.attachment"].create(
                    {"name": "x", "raw": b"x", "res_model": model, "res_id": res_id}
                ),
                "mail.message": self.env["mail.message"].create(
                    {"model": model, "res_id": res_id, "body": "needle"}
                ),
                "mail.activity": self.env["mail.activity"].create(
                    {
                        "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                        "res_id": user.partner_id.id,
                        "activity_type_id": activity_type,
                        "user_id": user.id,
                    }
                ),
            }
        return made

    def test_followers_of_models_that_are_not_allowed(self):
        made = self._followers()
        names = ("ir.attachment", "mail.message")
        self.allow_models("res.partner", *names)
        fence = self.fence()
        for model in names:
            allowed, other = made["res.partner"][model], made["res.users"][model]
            both = (allowed | other).ids
            with self.subTest(model=model):
                domain = [["id", "in", both]]
                found = self.call(
                    model, "search_read", fence=fence, domain=domain, fields=["id"]
                )
                self.assertEqual([r["id"] for r in found["value"]], allowed.ids)
                count = self.call(model, "search_count", fence=fence, domain=domain)
                self.assertEqual(count["value"], 1)
                domain = ["|", ["id", "in", both], ["id", "=", 0]]
                count = self.call(model, "search_count", fence=fence, domain=domain)
                self.assertEqual(count["value"], 1)
                groups = self.call(
                    model, "formatted_read_group", fence=fence,
                    domain=domain, groupby=[], aggregates=["__count"],
                )  # fmt: skip
                self.assertEqual(groups["value"][0]["__count"], 1)
                kind = self.kind(model, "read", both, fence, fields=["id"])
                self.assertEqual(kind, "not_allowed")
                kind = self.kind(model, "read", allowed.ids, fence, fields=["id"])
                self.assertEqual(kind, "ok")

    def test_followers_through_a_path(self):
        """A path to messages must not lead to messages of other models."""
        message = self._followers()["res.users"]["mail.message"]
        partner = self.people["user"].partner_id
        self.env["mail.notification"].create(
            {"mail_message_id": message.id, "res_partner_id": partner.id}
        )
        self.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": partner.id,
                "body": "answer",
                "parent_id": message.id,
            }
        )
        self.allow_models("mail.notification", "mail.message", "res.partner")
        fence = self.fence()
        for model, domain in (
            ("mail.notification", [["mail_message_id.body", "ilike", "needle"]]),
            ("mail.message", [["parent_id.body", "ilike", "needle"]]),
            ("mail.message", [["parent_id", "any", [["body", "ilike", "needle"]]]]),
        ):
            with self.subTest(model=model, domain=domain):
                found = self.call(model, "search_count", fence=fence, domain=domain)
                self.assertFalse(found.get("value"), found)
        own = [["message_ids.body", "ilike", "answer"]]
        found = self.call("res.partner", "search_count", fence=fence, domain=own)
        self.assertEqual(found["value"], 1)

    def test_without_a_list_followers_of_the_floor_stay_closed(self):
        message = self.connection.message_post(body="needle")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("doorman.group_admin").id)
        ]
        domain = [["id", "=", message.id]]
        found = self.call("mail.message", "search_count", domain=domain)
        self.assertEqual(found["value"], 0)
        kind = self.kind("mail.message", "read", message.ids, fields=["body"])
        self.assertEqual(kind, "not_allowed")

    def test_attachments_of_no_record_are_found_without_a_list(self):
        attachment = self.env["ir.attachment"].with_user(self.people["user"])
        attachment = attachment.create({"name": "x", "raw": b"x"})
        domain = [["id", "=", attachment.id]]
        found = self.call("ir.attachment", "search_count", domain=domain)
        self.assertEqual(found["value"], 1)

    def test_inherited_fields_do_not_open_the_parent_model(self):
        """res.users inherits res.partner: its own fields are its own, a path
        through partner_id is not."""
        self.allow_models("res.users")
        fence = self.fence()
        for domain, kind in (
            ([["email", "ilike", "x"]], "ok"),
            ([["partner_id.email", "ilike", "x"]], "not_allowed"),
            ([["partner_id", "any", [["email", "=", "x"]]]], "not_allowed"),
            ([["country_id.code", "=", "x"]], "not_allowed"),
            ([["partner_id", "ilike", "x"]], "not_allowed"),
        ):
            with self.subTest(domain=domain):
                found = self.call(
                    "res.users", "search_count", fence=fence, domain=domain
                )
                self.assertEqual(found.get("error", {}).get("kind", "ok"), kind)

    def test_models_lists_what_may_be_used_only(self):
        fence = self._limit()
        rows = self.call("", "models", fence=fence)["value"]
        self.assertEqual(
            {row["model"] for row in rows}, {"res.partner", "res.partner.category"}
        )
        self.connection.allowed_model_ids = [Command.clear()]
        rows = self.call("", "models")["value"]
        self.assertFalse(
            [r["model"] for r in rows if closed_models.on_floor(r["model"])]
        )
