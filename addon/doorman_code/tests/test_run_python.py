from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .python_common import P, PythonCase

NO, BAD = "not_allowed", "invalid_input"
ACLS = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
)
ALLOW = (
    ("result = 1 + 1", "2"),
    ("x = [i for i in range(3) if i]\nresult = x", "[1, 2]"),
    ("def f(a, b=2):\n    return a * b\nresult = f(4)", "8"),
    ("n = 0\nwhile n < 3:\n    n += 1\nresult = n", "3"),
    ("result = sum(x * x for x in range(4))", "14"),
    ("result = {'a': {1}, 'b': (2,), 'c': None}", '{"a": [1], "b": [2], "c": null}'),
    ("result = datetime.date(2026, 1, 31) + relativedelta(months=1)", "2026-02-28"),
    (f"result = {P}.search([('name', '=', 'Acme')])[:1].name", "Acme"),
    (f"result = {P}.search_count([('name', '=', 'Acme')])", "1"),
    (f"r = {P}.search([('name', '=', 'Acme')])\nresult = [r.id == r.ids[0]]", "true"),
    (f"result = {P}.search([('name', '=', 'Acme')]).mapped('name')", "Acme"),
    (f"result = {P}.search([('name', '=', 'Acme')])['name']", "Acme"),
    (f"result = {P}.search([], limit=2, order='id').mapped(lambda p: p.id)", "["),
    (f"result = {P}.search([]).filtered(lambda p: p.name == 'Acme').ids", "["),
    (f"result = {P}.search([]).sorted('name').ids[:1]", "["),
    (f"result = {P}.search([]).filtered_domain([('name', '=', 'Acme')]).ids", "["),
    (f"result = {P}.formatted_read_group([], ['is_company'])", "__count"),
    (f"result = len({P}.search([]) - {P}.search([('id', '>', 0)]))", "0"),
    (f"result = {P}.browse(999999999).exists().ids", "[]"),
    ("result = [env.user.id == env.uid, env.company.name != '']", "true"),
    ("result = env.ref('base.main_company').name", ""),
    ("result = 'res.partner' in env, 'ir.rule' in env", "[true, false]"),
    ("result = f'{1.5:.2f}|{env.lang}'", "1.50|"),
    ("result = 2 ** 70", "1180591620717411303424"),
    ("result = float('nan'), 1e400", "nan"),
    ("result = 2.0 ** -1, 10 ** 100 * 10 ** 100 * 10 ** 100 * 10 ** 100", "large"),
    ("result = [env, env['res.partner'].search]", "(Method)"),
    ("result = f'{env}'", "env"),
    ("result = []\nresult.append(result)", "..."),
)
# Code that does not run: what it would reach, and by what way.
NO_CODE = (
    "",
    " ",
    "result = ",
    "import os",
    "from os import path",
    "result = __import__('os')",
    "result = ().__class__",
    "result = ''.__class__.__mro__",
    "result = env.__class__",
    "result = env._shell",
    "result = env._shell.guard.env.cr",
    "result = env['res.partner']._shell",
    "result = env['res.partner']._call('unlink', {})",
    "result = '{0._shell.guard.env.cr.dbname}'.format(env)",
    "result = str.format('{0._shell}', env)",
    "result = '{a._shell}'.format_map({'a': env})",
    "result = list(map(str.format, ['{0._shell}'], [env]))",
    "result = getattr(env, '_shell')",
    "result = vars(env)",
    "result = eval('1')",
    "exec('result = 1')",
    "result = open('/etc/passwd').read()",
    "result = globals()",
    "result = locals()",
    "result = type(env)",
    "result = env.cr",
    "env.cr.execute('DELETE FROM res_partner')",
    "env.cr.commit()",
    "result = env.registry",
    "result = env.su",
    "result = env.context",
    "result = env.execute_query('SELECT 1')",
    "result = env(su=True)",
    "result = env(user=1)",
    "result = datetime.sys",
    "result = (x for x in [1]).gi_frame",
    "result = (lambda: 1).func_globals",
    "def f():\n    yield 1\nresult = list(f())",
    "class A:\n    pass",
    "try:\n    x = 1\nexcept Exception:\n    x = 2",
    "with open('x') as f:\n    pass",
    "async def f():\n    pass",
    "global x\nx = 1",
    "del env",
    "env.user.name = 'x'",
    "match env:\n    case object(_shell=s):\n        result = s",
    "_x = 1",
    "def _f():\n    return 1",
    "result = (lambda _shell: 1)(2)",
    "raise Exception('no')",
    "assert False",
    "1 / 0",
    "result = no_such_name",
    "x" * 20_001,
    "result = 1\0",
    "result = f'{env:>9}'",
    "result = env['res.partner'].unlink.__self__",
    "result = env['res.partner'].unlink._records",
    "result = env['res.partner'].web_read({'password': {}})",
    "raise env",
    "raise SystemExit",
    "(" * 500 + ")" * 500,
)
# Steps that are refused, as they are for the other tools.
NO_STEP = (
    (NO, "env['ir.rule'].search([])"),
    (NO, "env['res.users.apikeys'].search([])"),
    (NO, "env['ir.config_parameter'].get_param('database.secret')"),
    (NO, "env['ir.config_parameter'].search([])"),
    (NO, "env['doorman.approval'].search([]).action_approve()"),
    (NO, "env['doorman.connection'].browse(1).write({'read_only': False})"),
    (NO, "env['doorman.settings'].search([]).write({'allow_sql': True})"),
    (NO, "env.user.write({'login': 'x'})"),
    (NO, "env.user.password"),
    (NO, "env.user['totp_secret']"),
    (NO, "env.user.read(['password'])"),
    (NO, "env['res.users'].search([('password', '!=', False)])"),
    (NO, "env['res.users'].search([]).mapped('api_key_ids.name')"),
    (NO, "env['ir.cron'].create({'name': 'x', 'code': '1'})"),
    (NO, "env['ir.actions.server'].create({'name': 'x', 'code': '1'})"),
    (NO, "env['ir.actions.server'].search([], limit=1).run()"),
    (NO, "env['ir.ui.view'].search([], limit=1).write({'arch': 'x'})"),
    (NO, "env['mail.template'].search([], limit=1).send_mail()"),
    (NO, "env['ir.module.module'].search([], limit=1).button_immediate_install()"),
    (NO, "env['ir.attachment'].create({'name': 'x', 'raw': 'x'})"),
    (NO, "env['ir.attachment'].search([], limit=1).raw"),
    (NO, f"{P}.sudo()"),
    (NO, f"{P}.with_user(user=1)"),
    (NO, f"{P}.with_context()"),
    (NO, f"{P}.with_env()"),
    (BAD, f"{P}.env"),
    (BAD, f"{P}.pool"),
    (BAD, f"{P}.nmae"),
    (NO, f"{P}.browse(1).copy()"),
    (NO, f"{P}.web_save()"),
    (NO, f"{P}.invalidate_model()"),
    (NO, f"{P}.fields_get()"),
    (NO, f"{P}.load()"),
    (NO, f"{P}.export_data()"),
    ("unknown_field", f"{P}.search([('no_such', '=', 1)])"),
    ("unknown_field", f"{P}.search([]).mapped('no_such')"),
    ("unknown_model", "env['no.such']"),
    (BAD, "env[1]"),
    (BAD, f"{P}.no_such_method()"),
    (BAD, f"{P}.search('name')"),
    (BAD, f"{P}.search([('name', '=', lambda: 1)])"),
    (BAD, f"{P}.search([('id', '=', env.user)])"),
    (BAD, f"{P}.search([('id', 'any!', [])])"),
    (BAD, f"{P}.search([], order='id; DROP TABLE res_partner')"),
    (BAD, f"{P}.browse('1')"),
    (BAD, f"{P}.browse(-1)"),
    (BAD, f"{P}.browse(True).name"),
    (BAD, f"{P}.search([]).name"),
    (BAD, f"{P}.browse(999999999).name"),
    (BAD, f"{P}.create({{'name': 'x'}}, 1)"),
    ("not_found", f"{P}.browse(999999999).write({{'name': 'x'}})"),
    ("business_rule", "raise UserError('no')"),
)


@tagged("post_install", "-at_install")
class TestRunPython(PythonCase):
    # ---- what it does ----

    def test_allow(self):
        for code, says in ALLOW:
            with self.subTest(code=code):
                answer = self.python(code)
                self.assertIn("value", answer, answer)
                self.assertIn(says, answer["value"]["result"])
                self.assertEqual(answer["value"]["steps"], [])

    def test_it_changes_as_the_user_and_every_step_is_on_record(self):
        before = self.rows()
        value = self.python(
            f"new = {P}.create([{{'name': 'py1'}}, {{'name': 'py2'}}])\n"
            "for record in new:\n"
            "    record.write({'comment': record.name + ' 100%'})\n"
            f"{P}.search([('name', '=', 'py2')]).unlink()\n"
            "new[0].message_post('hello')\n"
            "result = new.exists()"
        )["value"]
        made = self.partners("py1")
        self.assertEqual(made.comment, "<p>py1 100%</p>")
        self.assertEqual(made.create_uid, self.people["user"])
        self.assertFalse(self.partners("py2"))
        self.assertIn(f'"ids": [{made.id}]', value["result"])
        self.assertEqual(
            [step["tool"] for step in value["steps"]],
            ["create_records"]
            + ["update_records"] * 2
            + ["delete_records", "post_message"],
        )
        [call, *steps] = self.new_rows(before)
        self.assertEqual((call["orm_method"], call["outcome"]), ("run_python", "ok"))
        self.assertIn("py1", call["message"])
        self.assertEqual(len(steps), 5)
        self.assertEqual(
            {(row["model"], row["user_login"]) for row in steps},
            {("res.partner", "dm-user")},
        )
        self.assertEqual(steps[0]["record_ids"], str(made.id))
        # One request is one request, however many steps it takes.
        used = self.env["doorman.audit"]._used_today(self.connection.id)
        self.assertEqual(used, 0)

    def test_all_or_nothing(self):
        made = f"{P}.create({{'name': 'half'}})\n"
        for name, code in {
            "an error of the code": made + "1 / 0",
            "of its own": made + "raise UserError('no')",
            "a refusal": made + "env['ir.rule'].search([])",
            "a rule of Odoo's": made + f"{P}.create({{'name': False}})",
            "too long": made + "while True:\n    pass",
        }.items():
            with (
                self.subTest(name),
                patch("odoo.addons.doorman_code.python_run.SECONDS", 0.3),
            ):
                before = self.rows()
                self.assertIn("error", self.python(code))
                self.assertFalse(self.partners("half"))
                self.assertEqual(len(self.new_rows(before)), 1)

    def test_tried_out(self):
        code = f"new = {P}.create({{'name': 'try'}})\nresult = new.name"
        before = self.rows()
        value = self.python(code, dry_run=True)["value"]
        self.assertIn("try", value["result"])
        self.assertEqual(value["steps"][0]["tool"], "create_records")
        self.assertFalse(self.partners("try"))
        [row] = self.new_rows(before)
        self.assertEqual(row["reason"], "dry_run")
        for code in (
            f"{P}.browse({self.acme.id}).action_archive()",
            f"{P}.browse({self.acme.id}).message_post('x')",
        ):
            self.assertEqual(self.python_kind(code, dry_run=True), BAD)
            self.assertEqual(self.python_kind(code), "ok")

    def test_the_same_key_does_it_once(self):
        code = f"{P}.create({{'name': 'once'}})"
        self.python(code, idempotency_key="k")
        self.assertTrue(self.python(code, idempotency_key="k")["value"]["replayed"])
        self.assertEqual(len(self.partners("once")), 1)
        self.assertEqual(
            self.python_kind("result = 1", idempotency_key="k"), "conflict"
        )

    # ---- what it refuses ----

    @mute_logger(*ACLS)
    def test_deny_code(self):
        for code in NO_CODE:
            with self.subTest(code=code[:80]):
                self.assertIn(self.python_kind(code), (NO, BAD, "unknown_field"))

    @mute_logger(*ACLS)
    def test_deny_steps(self):
        for kind, code in NO_STEP:
            with self.subTest(code=code):
                answer = self.python(code)
                found = answer.get("error", {"kind": "ok"})["kind"]
                self.assertEqual(found, kind, answer)

    def test_errors_tell_the_line(self):
        for code, says in (
            ("x = 1\ny = x / 0", "Line 2: ZeroDivisionError"),
            ("x = 1\n\ny = zz", "Line 3: NameError"),
            ("x = (", "Line 1"),
            ("x = 1\nimport os", "Line 2: import cannot be run here"),
        ):
            with self.subTest(code=code):
                message = self.python(code)["error"]["message"]
                self.assertIn(says, message)
                self.assertNotIn("Traceback", message)
                self.assertNotIn("doorman/", message)

    def test_what_leaves(self):
        for code, gone in (
            ("result = {'password': 'hunter2'}", "hunter2"),
            ("result = 'https://x/?token=abcdefgh'", "abcdefgh"),
            ("result = env", "0x"),
            ("result = lambda: 1", "0x"),
        ):
            with self.subTest(code=code):
                self.assertNotIn(gone, self.python(code)["value"]["result"])
        long = self.python("result = 'x' * 30000")["value"]["result"]
        self.assertLess(len(long), 20_100)
        deep = "result = 1\nfor i in range(100):\n    result = [result]"
        self.assertIn("...", self.python(deep)["value"]["result"])

    def test_bounds(self):
        with patch("odoo.addons.doorman_code.python_run.SECONDS", 0.3):
            for code in (
                "while True:\n    pass",
                "n = [0]\nfor x in n:\n    n.append(x)",
                "def f():\n    while True:\n        n = 1\nf()",
                "result = [1 for x in range(10 ** 6) for y in range(10 ** 6) if x < 0]",
            ):
                with self.subTest(code=code):
                    self.assertEqual(self.python_kind(code), "odoo_timeout")
        with patch("odoo.addons.doorman_code.python_run.MAX_STEPS", 3):
            code = f"for i in range(4):\n    {P}.search_count([('id', '>', i)])"
            self.assertEqual(self.python_kind(code), "too_large")
        with patch("odoo.addons.doorman_code.python_run.MAX_CHANGES", 3):
            code = f"for i in range(4):\n    {P}.create({{'name': 'many'}})"
            self.assertEqual(self.python_kind(code), "too_large")
        self.assertFalse(self.partners("many"))
        self.assertIn("error", self.python("def f():\n    f()\nf()"))

    @mute_logger(*ACLS)
    def test_it_may_no_more_than_the_other_tools(self):
        write = f"{P}.browse({self.acme.id}).write({{'comment': 'x'}})"
        read = f"result = {P}.browse({self.acme.id}).name"
        orm = self.env.ref("doorman.scope_orm")
        search = self.env.ref("doorman.scope_search")
        python, update = self.python_tool, self.tools["update_records"]
        partner = self.env["ir.model"]._get_id("res.partner")
        rule = {
            "name": "not Acme",
            "model_id": partner,
            "domain_force": [("name", "!=", "Acme")],
        }
        connection = self.connection
        for name, code, kind, change in (
            ("all of it", write, "ok", lambda: None),
            (
                "no scope to write",
                write,
                NO,
                lambda: connection.write({"scope_ids": [Command.unlink(orm.id)]}),
            ),
            (
                "no scope to read",
                read,
                NO,
                lambda: connection.write({"scope_ids": [Command.unlink(search.id)]}),
            ),
            (
                "other tools",
                write,
                NO,
                lambda: connection.write(
                    {"allowed_tool_ids": [Command.set(python.ids)]}
                ),
            ),
            ("switched off", write, NO, lambda: update.write({"active": False})),
            (
                "a record rule",
                write,
                "forbidden",
                lambda: self.env["ir.rule"].create(rule),
            ),
            (
                "gated by tool",
                write,
                "pending_approval",
                lambda: self.gate("update_records"),
            ),
            (
                "gated by model",
                write,
                "pending_approval",
                lambda: self.rule(model_id=partner),
            ),
            ("another is gated", read, "ok", lambda: self.gate("update_records")),
            (
                "gated itself",
                "result = 1",
                "pending_approval",
                lambda: connection.write(
                    {"approval_tool_ids": [Command.set(python.ids)]}
                ),
            ),
            (
                "its risk is high",
                "result = 1",
                "pending_approval",
                lambda: self.rule(risk="high"),
            ),
            (
                "no user right",
                f"{P}.create({{'name': 'x'}})",
                "forbidden",
                lambda: (
                    self.env["ir.model.access"]
                    .search([("model_id", "=", partner)])
                    .write({"perm_create": False})
                ),
            ),
        ):
            with self.subTest(name), self.env.cr.savepoint() as point:
                change()
                self.env.flush_all()
                self.assertEqual(self.python_kind(code), kind)
                point.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    @mute_logger(*ACLS)
    def test_a_hidden_neighbour(self):
        hidden = self.env["res.partner"].create({"name": "Hidden"})
        self.env["ir.rule"].create(
            {
                "name": "not Hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("name", "!=", "Hidden")],
            }
        )
        some = f"{P}.browse([{self.acme.id}, {hidden.id}, 999999999])"
        self.assertEqual(self.python_kind(f"result = {some}[0].name"), "ok")
        self.assertEqual(self.python_kind(f"result = {some}[1].name"), "forbidden")
        self.assertEqual(self.python_kind(f"result = {some}[2].name"), BAD)
        self.assertEqual(self.python_kind(f"{some}.write({{'ref': 'x'}})"), "not_found")
        some = f"{P}.browse([{self.acme.id}, {hidden.id}])"
        self.assertEqual(self.python_kind(f"{some}.write({{'ref': 'x'}})"), "forbidden")
        self.assertFalse(self.acme.ref or hidden.ref)

    @mute_logger(*ACLS)
    def test_who_may(self):
        scope = self.env.ref("doorman.scope_shell")
        group = self.env.ref("doorman.group_scope_shell")
        system = self.env.ref("base.group_system")
        user, connection = self.people["user"], self.connection
        for name, kind, change in (
            ("all of it", "ok", lambda: None),
            ("off", NO, lambda: self.settings.write({"allow_shell": False})),
            (
                "SQL is another switch",
                NO,
                lambda: self.settings.write({"allow_sql": True, "allow_shell": False}),
            ),
            (
                "no scope",
                NO,
                lambda: connection.write({"scope_ids": [Command.unlink(scope.id)]}),
            ),
            (
                "no permission",
                NO,
                lambda: user.write({"group_ids": [Command.unlink(group.id)]}),
            ),
            (
                "no administrator",
                "forbidden",
                lambda: user.write({"group_ids": [Command.unlink(system.id)]}),
            ),
            ("some models", NO, lambda: self.allow_models("res.partner")),
            (
                "some companies",
                NO,
                lambda: connection.write(
                    {"company_ids": [Command.set(self.company.ids)]}
                ),
            ),
            ("only reads", "read_only", lambda: connection.write({"read_only": True})),
        ):
            with self.subTest(name), self.env.cr.savepoint() as point:
                change()
                self.assertEqual(self.python_kind("result = 1"), kind)
                point.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_who_sees_it(self):
        for name, shown, change in (
            ("all of it", True, lambda: None),
            ("off", False, lambda: self.settings.write({"allow_shell": False})),
            (
                "no administrator",
                False,
                lambda: self.people["user"].write(
                    {
                        "group_ids": [
                            Command.unlink(self.env.ref("base.group_system").id)
                        ]
                    }
                ),
            ),
        ):
            with self.subTest(name), self.env.cr.savepoint() as point:
                change()
                self.env.flush_all()
                snapshot = self.gateway.resolve(self.proof)["snapshot"]
                self.assertEqual(
                    "mcp:shell" in snapshot["policy"]["scopes"]
                    and "run_python" not in snapshot["settings"]["disabled_tools"],
                    shown,
                )
                point.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    # ---- approvals ----

    def test_a_person_approves_it(self):
        self.gate("update_records")
        code = f"{P}.browse({self.acme.id}).write({{'comment': 'agreed'}})"
        self.assertEqual(self.python_kind(code), "pending_approval")
        answer = self.ask("", "run_python", code=code)
        self.assertIn("pending", answer, answer)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertFalse(self.acme.comment)
        self.assertEqual((approval.tool, approval.risk), ("run_python", "high"))
        self.assertIn("agreed", str(approval.arguments_html) + approval.payload_text)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertEqual(self.acme.comment, "<p>agreed</p>")
        self.assertEqual(self.acme.write_uid, self.people["user"])

    def test_a_person_rejects_it(self):
        self.rule(risk="high")
        code = f"{P}.browse({self.acme.id}).write({{'comment': 'agreed'}})"
        answer = self.ask("", "run_python", code=code)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.by("approver", approval).action_reject("no")
        self.assertEqual(approval.state, "rejected")
        self.assertFalse(self.acme.comment)

    def test_malformed_requests(self):
        for kwargs in (None, [], "x", 1, [["code", "1"]], {"code": 1}, {"x": "1"}):
            with self.subTest(kwargs=kwargs):
                request = self.request("", "run_python") | {"kwargs": kwargs}
                answer = self.gateway.call(self.fence(), request)
                self.assertEqual(answer["error"]["kind"], BAD)
        request = self.request("res.partner", "run_python", self.acme.ids)
        answer = self.gateway.call(self.fence(), request)
        self.assertEqual(answer["error"]["kind"], NO)
