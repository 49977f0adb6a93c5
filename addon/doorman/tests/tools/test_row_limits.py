from odoo.tests import tagged

from ...tools import operations, row_counts
from ..common import ApprovalCase, WriteCase
from .test_exports import ExportMixin

DOMAIN = [["name", "=like", "Export %"]]


@tagged("post_install", "-at_install")
class TestRowLimits(ExportMixin, WriteCase):
    """How many rows of data flow out: told, kept in the audit, and limited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.research_tools = True
        for record in cls.some:
            record._message_log(body="Said")
        cls.env["ir.attachment"].create(
            [
                {"name": f"{n}.txt", "raw": b"x", "res_model": "res.partner"}
                | {"res_id": cls.some[0].id}
                for n in range(2)
            ]
        )

    def limit(self, reply=0, day=0):
        self.connection.write({"rows_reply": reply, "rows_day": day})

    def ask(self, left=None, more=None, **request):
        """:param left: what the service says is left of the day"""
        fence = self.fence()
        if left is not None:
            fence["rows_left"] = left
        model, ids = request.get("model"), request.get("ids")
        asked = self.request(model, request["method"], ids, **request.get("kwargs", {}))
        return self.gateway.call(fence, asked | (more or {}))

    def requests(self):
        """A request of every operation of this addon that gives out rows, and how many
        there are: as Odoo itself says."""
        some = self.some.with_user(self.people["user"])
        one, mine = some[:1], {"model": "res.partner"}
        fields = {"fields": ["name"]}
        said = some.env["mail.message"].search_count(
            [
                ("model", "=", "res.partner"),
                ("res_id", "=", one.id),
                ("message_type", "!=", "user_notification"),
            ]
        )
        colors = len(set(some.mapped("color")))
        files = len(
            some.env["ir.attachment"].search(
                [("res_model", "=", "res.partner"), ("res_id", "=", one.id)]
            )
        )
        query = {"query": "Export 00"}
        listed = {"domain": DOMAIN, "groupby": ["color"], "aggregates": ["__count"]}
        return {
            "search_read": (mine | {"kwargs": {"domain": DOMAIN} | fields}, len(some)),
            "search_count": (mine | {"kwargs": {"domain": DOMAIN}}, 1),
            "read": (mine | {"ids": some.ids, "kwargs": fields}, len(some)),
            "fetch": (mine | {"ids": one.ids, "kwargs": dict(fields)}, 1),
            "formatted_read_group": (mine | {"kwargs": listed}, colors),
            "read_messages": (mine | {"ids": one.ids, "kwargs": {}}, said),
            "search_everywhere": (
                {"kwargs": query | {"models": ["res.partner"], "limit": 10}},
                min(10, len(some)),
            ),
            "search": ({"kwargs": query}, None),
            "export_records": (mine | {"kwargs": {"domain": DOMAIN} | fields}, 25),
            "get_attachment": (mine | {"ids": one.ids}, files),
        }

    def test_every_operation_that_reads_is_counted(self):
        """One that is new says how many rows it gives out, or that it gives none."""
        asked = self.requests()
        # These two have tests of their own: what they give out, code makes.
        others = {"get_report", "look_tool"}
        none = {"fields_get", "models", "context", "get_actions"}
        reading = {
            name: found
            for name, found in operations.OPERATIONS.items()
            if found.reads and found.module == "doorman"
        }
        self.assertEqual(reading.keys(), asked.keys() | others | none)
        for name in none:
            self.assertIs(reading[name].rows, row_counts.none, name)
        with self.assertRaisesRegex(ValueError, "how many rows"):
            operations.operation("x", tool="x", reads=True)(print)

    def test_rows_are_told_and_kept(self):
        for name, (request, count) in self.requests().items():
            with self.subTest(name):
                before = self.rows()
                answer = self.ask(method=name, **request)
                self.assertIn("value", answer, answer)
                if count is None:
                    count = len(answer["value"]["results"])
                self.assertGreater(count, 0)
                self.assertEqual(answer["rows"], count)
                row = self.new_rows(before)[0]
                self.assertEqual((row["outcome"], row["rows"]), ("ok", count))
        before = self.rows()
        self.ask(method="fields_get", model="res.partner")
        self.ask(method="context")
        self.assertEqual([r["rows"] for r in self.new_rows(before)], [0, 0])

    def test_today(self):
        proof, audit = self.proof, self.env["doorman.audit"]
        given = self.gateway.resolve(proof)["rows_today"]
        self.ask(
            method="read",
            model="res.partner",
            ids=self.some.ids,
            kwargs={"fields": ["name"]},
        )
        self.assertEqual(self.gateway.resolve(proof)["rows_today"], given + 25)
        self.env.cr.execute("UPDATE doorman_audit SET time = time - interval '1 day'")
        self.assertEqual(audit._rows_today(self.connection.id), 0)

    # ---- one reply ----

    def test_what_can_be_cut_is_cut_and_says_so(self):
        self.limit(reply=3)
        asked = self.requests()
        for spare in (False, True):
            more = {"spare": True} if spare else None
            request, _count = asked["search_read"]
            found = self.ask(method="search_read", more=more, **request)["value"]
            self.assertEqual(len(found["rows"]), 3)
            self.assertEqual((found["more"], found["most"]), (True, 3))
            request, _count = asked["formatted_read_group"]
            found = self.ask(method="formatted_read_group", more=more, **request)
            self.assertEqual(found["rows"], 3)
            self.assertEqual(len(found["value"]["groups"]), 3)
            self.assertEqual(found["value"]["most"], 3)
        found = self.ask(method="search_everywhere", **asked["search_everywhere"][0])
        (hits,) = found["value"]["found"]
        self.assertEqual((len(hits["records"]), hits["has_more"]), (3, True))
        self.assertEqual(found["value"]["most"], 3)
        found = self.ask(method="search", **asked["search"][0])
        self.assertEqual(len(found["value"]["results"]), 3)
        self.some[0]._message_log(body="Two")
        self.some[0]._message_log(body="Three")
        self.some[0]._message_log(body="Four")
        found = self.ask(method="read_messages", **asked["read_messages"][0])["value"]
        self.assertEqual((len(found["messages"]), found["has_more"]), (3, True))

    def test_pages_go_on_where_the_last_one_was_cut(self):
        self.limit(reply=10)
        names, offset = [], 0
        for _page in range(9):
            kwargs = {"domain": DOMAIN, "fields": ["name"], "order": "name"}
            kwargs |= {"limit": 101, "offset": offset, "count": 1000}
            found = self.ask(
                more={"spare": True},
                method="search_read",
                model="res.partner",
                kwargs=kwargs,
            )["value"]
            page = found["rows"] if isinstance(found, dict) else found
            names += [row["name"] for row in page]
            offset += len(page)
            if not (isinstance(found, dict) and found.get("more")):
                break
            self.assertEqual(found["total"], 25)
        self.assertEqual(names, self.some.sorted("name").mapped("name"))

    def test_the_row_too_many_is_not_given(self):
        """The service asks for one more than its client: to know whether there is."""
        kwargs = {"domain": DOMAIN, "fields": ["name"], "limit": 11}
        for limit, most in ((0, None), (10, None), (11, None), (4, 4)):
            with self.subTest(limit=limit):
                self.limit(reply=limit)
                answer = self.ask(
                    more={"spare": True},
                    method="search_read",
                    model="res.partner",
                    kwargs=dict(kwargs),
                )
                self.assertEqual(answer["rows"], most or 10)
                self.assertEqual(len(answer["value"]["rows"]), most or 10)
                self.assertTrue(answer["value"]["more"])
                self.assertEqual(answer["value"].get("most"), most)

    def test_what_cannot_be_cut_is_refused(self):
        self.limit(reply=24)
        asked = self.requests()
        before = self.rows()
        answer = self.ask(method="export_records", **asked["export_records"][0])
        self.assertEqual(answer["error"]["code"], "export_too_large")
        self.assertIn("24", answer["error"]["message"])
        answer = self.ask(method="read", **asked["read"][0])
        self.assertEqual(answer["error"]["code"], "too_many_rows")
        self.assertIn("24", answer["error"]["message"])
        for row in self.new_rows(before):
            self.assertEqual((row["outcome"], row["rows"]), ("refused", None))
        self.limit(reply=25)
        for name in ("export_records", "read"):
            self.assertIn("value", self.ask(method=name, **asked[name][0]))

    def test_a_dry_run_tells_no_more(self):
        """What it would change, it tells with the values of now."""
        self.allow_writes()
        self.limit(reply=2)
        vals, dry = {"vals": {"comment": "x"}}, {"dry_run": True}
        request = {"method": "write", "model": "res.partner", "kwargs": vals}
        answer = self.ask(more=dry, ids=self.some[:2].ids, **request)
        self.assertEqual(answer["rows"], 2, answer)
        answer = self.ask(more=dry, ids=self.some[:3].ids, **request)
        self.assertEqual(answer["error"]["code"], "too_many_rows")
        # To do it tells nothing of them.
        answer = self.ask(ids=self.some[:3].ids, **request)
        self.assertEqual(answer["rows"], 0, answer)

    # ---- a day ----

    def test_the_day_is_used_up(self):
        self.limit(day=100)
        for name, (request, _count) in self.requests().items():
            with self.subTest(name):
                before = self.rows()
                answer = self.ask(left=0, method=name, **request)
                error = answer["error"]
                self.assertEqual(error["kind"], "rate_limited")
                self.assertEqual(error["code"], "rows_used_up")
                self.assertIn("100", error["message"])
                (row,) = self.new_rows(before)
                self.assertEqual((row["outcome"], row["rows"]), ("refused", None))
        # Also what would find nothing: that would tell something.
        none = {"domain": [["name", "=", "Nobody is called so"]], "fields": ["name"]}
        answer = self.ask(
            left=0, method="search_read", model="res.partner", kwargs=none
        )
        self.assertEqual(answer["error"]["code"], "rows_used_up")
        for name, model in (("fields_get", "res.partner"), ("context", None)):
            self.assertIn("value", self.ask(left=0, method=name, model=model))

    def test_what_is_left_of_the_day(self):
        self.limit(day=100)
        asked = self.requests()
        answer = self.ask(left=4, method="search_read", **asked["search_read"][0])
        self.assertEqual((answer["rows"], answer["value"]["most"]), (4, 4))
        answer = self.ask(left=4, method="read", **asked["read"][0])
        self.assertEqual(answer["error"]["code"], "rows_used_up")
        answer = self.ask(left=25, method="read", **asked["read"][0])
        self.assertEqual(answer["rows"], 25)

    def test_who_says_nothing_of_the_day_is_held_against_the_audit(self):
        """A thief of the service's key and a client's would leave it out."""
        self.limit(day=30)
        read = self.requests()["read"][0]
        self.assertEqual(self.ask(method="read", **read)["rows"], 25)
        for left in (None, -1, True, "9", 2.5, [9]):
            with self.subTest(left=left):
                answer = self.ask(left=left, method="read", **read)
                self.assertEqual(answer["error"]["code"], "rows_used_up")
        answer = self.ask(
            left=10**9, method="search_read", **self.requests()["search_read"][0]
        )
        self.assertLessEqual(answer["rows"], 30)

    def test_changes_go_on(self):
        """What Odoo has filled in is told as far as there is room for it."""
        self.allow_writes()
        self.limit(day=100)
        vals = {"vals_list": [{"name": "New"}]}
        for left, told in ((0, 0), (1, 1)):
            answer = self.ask(
                left=left,
                method="create",
                model="res.partner",
                kwargs=dict(vals),
                more={"tell": ["create_date"]},
            )
            self.assertIn("value", answer, answer)
            self.assertEqual(answer["rows"], told)
            self.assertEqual(bool(answer["value"].get("rows")), bool(told))

    # ---- whose limit holds ----

    def test_the_default_holds_where_there_is_no_other(self):
        self.settings.write({"rows_reply": 3, "rows_day": 70})
        read = self.requests()["search_read"][0]
        self.assertEqual(self.ask(method="search_read", **read)["rows"], 3)
        policy = self.gateway.resolve(self.proof)["snapshot"]["policy"]
        self.assertEqual(policy["rows_day"], 70)
        self.limit(reply=5, day=90)
        self.assertEqual(self.ask(method="search_read", **read)["rows"], 5)
        policy = self.gateway.resolve(self.proof)["snapshot"]["policy"]
        self.assertEqual(policy["rows_day"], 90)
        self.limit()
        self.assertEqual(self.ask(method="search_read", **read)["rows"], 3)
        self.settings.rows_reply = 4
        self.assertEqual(self.ask(method="search_read", **read)["rows"], 4)
        self.settings.rows_reply = 0
        self.assertEqual(self.ask(method="search_read", **read)["rows"], 25)

    def test_a_new_limit_holds_at_once(self):
        """A decision taken on the old one is stale."""
        fence, read = self.fence(), self.requests()["read"][0]
        self.limit(reply=3)
        asked = self.request("res.partner", "read", read["ids"], fields=["name"])
        self.assertIn("stale", self.gateway.call(fence, asked))


@tagged("post_install", "-at_install")
class TestRowLimitsApproved(ApprovalCase):
    """Rows of an answer that waited for a person flow out when they are asked for."""

    def test_an_approved_read(self):
        some = self.env["res.partner"].create([{"name": f"R {n}"} for n in range(4)])
        model = self.env["ir.model"]._get_id("res.partner")
        self.rule(model_id=model, reads=True)
        self.connection.write({"rows_day": 10})
        approval = self.waiting("res.partner", "read", some.ids, fields=["name"])
        before = self.rows()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertFalse(sum(row["rows"] or 0 for row in self.new_rows(before)))
        for left, rows in ((4, 4), (9, 4), (3, None), (0, None)):
            with self.subTest(left=left):
                fence = self.fence() | {"rows_left": left}
                answer = self.gateway.approval_status(fence, approval.id)
                if rows is None:
                    self.assertEqual(answer["error"]["code"], "rows_used_up")
                    self.assertFalse(self.rows()[0]["rows"])
                else:
                    self.assertEqual(answer["rows"], rows)
                    self.assertEqual(len(answer["approval"]["value"]), 4)
                    self.assertEqual(self.rows()[0]["rows"], rows)

    def test_what_is_too_much_is_not_carried_out(self):
        some = self.env["res.partner"].create([{"name": f"R {n}"} for n in range(4)])
        model = self.env["ir.model"]._get_id("res.partner")
        self.rule(model_id=model, reads=True)
        approval = self.waiting("res.partner", "read", some.ids, fields=["name"])
        self.connection.write({"rows_reply": 3})
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "failed")
        self.assertEqual(approval.error_code, "too_many_rows")
