"""What can be seen by reading the addon: no Odoo and no database is needed.

Runs with Odoo's tests and, alone, by ``python3 addon/doorman/tests/test_static.py``.
"""

import ast
import csv
import re
import unittest
from pathlib import Path
from xml.etree import ElementTree

try:
    from odoo.tests import BaseCase, tagged
except ImportError:
    BaseCase = unittest.TestCase

    def tagged(*_tags):
        return lambda cls: cls


ROOT = Path(__file__).resolve().parent.parent

# Who calls sudo(), and how often. Each was looked at: what is done with the greater
# right is checked before, or is no more than reading what decides.
SUDO = {
    "controllers/invite.py:_free_sign_up": 1,
    "controllers/sign_up.py:account": 1,
    "demo/invites.py:_demo_fill": 1,
    "gateway/approvals.py:_approval_of": 1,
    "gateway/approvals.py:_approval_values": 2,
    "gateway/approvals.py:_ask": 1,
    "gateway/approvals.py:_expire_approvals": 1,
    "gateway/approvals.py:_make_approval": 1,
    "gateway/approvals.py:_reader": 2,
    "gateway/approvals.py:_remind_approvals": 1,
    "gateway/audit.py:_record_one": 1,
    "gateway/doorman_gateway.py:hello": 3,
    "gateway/environment.py:_limit_companies": 2,
    "gateway/explain.py:companies": 1,
    "gateway/jobs.py:_expire_connections": 1,
    "gateway/jobs.py:_fold_use": 1,
    "gateway/jobs.py:_purge_audit": 2,
    "gateway/jobs.py:_remind_connections": 1,
    "gateway/jobs.py:_remind_keys": 1,
    "gateway/jobs_invites.py:_expire_invites": 1,
    "gateway/jobs_invites.py:_remind_invited": 1,
    "gateway/jobs_oauth.py:_purge_oauth": 1,
    "gateway/oauth.py:_snapshot": 1,
    "models/approval/ask.py:_activities": 1,
    "models/approval/describe.py:_warnings": 1,
    "models/approval/describe.py:_warnings_now": 2,
    "models/approval/doorman_approval.py:_approver_name": 1,
    "models/approval/doorman_approval.py:_askers": 2,
    "models/approval/doorman_approval.py:_compute_can_decide": 1,
    "models/approval/doorman_approval.py:_deciders": 1,
    "models/approval/doorman_approval.py:_end": 1,
    "models/approval/doorman_approval.py:_note": 1,
    "models/approval/doorman_approval.py:_why_over": 1,
    "models/approval/doorman_approval.py:action_cancel": 1,
    "models/approval/doorman_approval.py:action_reject": 1,
    "models/approval/doorman_approval_rule.py:_compute_display_name": 2,
    "models/connection/acting.py:_acting_row": 1,
    "models/approval/execute.py:action_approve": 2,
    "models/approval/two_approvers.py:_is_first": 1,
    "models/approval/two_approvers.py:_needs_two": 1,
    "models/audit/erase.py:_erase": 2,
    "models/catalog/doorman_scope.py:_codes_by_group": 1,
    "models/catalog/doorman_tool.py:_facts": 1,
    "models/catalog/doorman_tool.py:_modules": 1,
    "models/catalog/doorman_tool.py:_sync": 3,
    "models/catalog/doorman_tool.py:write": 1,
    "models/connection/explain.py:explain": 1,
    "models/connection/approval_policy.py:_approvers_for": 3,
    "models/connection/approval_policy.py:_check_approver_internal": 1,
    "models/connection/approval_policy.py:_check_somebody_approves": 1,
    "models/connection/approval_policy.py:_drop_requests": 1,
    "models/connection/approval_policy.py:_members": 1,
    "models/connection/approval_policy.py:_self_approvers": 1,
    "models/connection/approval_policy.py:write": 1,
    "models/connection/doorman_connection.py:_check_user": 1,
    "models/connection/doorman_connection.py:_compute_effective_rates": 1,
    "models/connection/doorman_connection.py:_scopes_without_permission": 1,
    "models/connection/doorman_connection.py:_compute_server_off": 1,
    "models/connection/doorman_connection.py:_deletion": 1,
    "models/connection/doorman_connection.py:_limit_in_force": 1,
    "models/connection/doorman_connection.py:_model_rule": 1,
    "models/connection/doorman_connection.py:_snapshot": 1,
    "models/connection/doorman_connection.py:_domains": 1,
    "models/connection/doorman_connection.py:_rows_rule": 2,
    "models/connection/doorman_connection.py:_switches": 1,
    "models/connection/doorman_connection.py:_why_not_reactivate": 1,
    "models/connection/doorman_connection.py:_write_rule": 1,
    "models/connection/doorman_connection.py:action_activate": 1,
    "models/connection/doorman_connection.py:action_reactivate": 1,
    "models/connection/doorman_connection.py:action_revoke": 1,
    "models/connection/doorman_model_rule.py:_check_once": 1,
    "models/connection/doorman_pickup.py:_opened": 1,
    "models/connection/doorman_pickup.py:_pick_up_opened": 1,
    "models/connection/from_oauth.py:_ask_to_activate": 1,
    "models/connection/from_oauth.py:_from_consent": 2,
    "models/connection/from_oauth.py:_waits": 2,
    "models/connection/from_oauth.py:unlink": 1,
    "models/connection/keys.py:_issue_key": 1,
    "models/connection/keys.py:_new_key_dialog": 2,
    "models/connection/keys.py:_administrator": 1,
    "models/connection/keys.py:_compute_key_expires_at": 1,
    "models/connection/keys.py:_remove_keys": 3,
    "models/connection/keys.py:_why_not_see_key": 2,
    "models/connection/outside_text.py:_reads_strangers": 1,
    "models/connection/model_rule_policy.py:_rules": 1,
    "models/connection/pickup_links.py:action_pickup_link": 2,
    "models/custom_tool/doorman_own_tool.py:_catalog": 1,
    "models/custom_tool/doorman_own_tool.py:_make_way": 1,
    "models/custom_tool/doorman_own_tool.py:_note": 1,
    "models/custom_tool/doorman_own_tool.py:_offered": 1,
    "models/custom_tool/doorman_own_tool.py:_parameters": 1,
    "models/custom_tool/doorman_own_tool.py:_published": 1,
    "models/custom_tool/doorman_own_tool.py:_to_catalog": 1,
    "models/custom_tool/doorman_own_tool.py:_tree": 1,
    "models/custom_tool/doorman_own_tool.py:_withdraw": 1,
    "models/custom_tool/doorman_own_tool.py:_withdraw_changed": 1,
    "models/custom_tool/doorman_own_tool_parameter.py:_wrong": 1,
    "models/extensions/ir_actions.py:_doorman_facts": 2,
    "models/extensions/ir_ui_menu.py:_doorman_loose": 1,
    "models/extensions/ir_ui_menu.py:_doorman_opened": 2,
    "models/extensions/ir_ui_menu.py:_doorman_windows_for": 1,
    "models/extensions/ir_ui_view.py:_doorman_forms": 1,
    "models/extensions/ir_ui_view.py:_doorman_shown": 1,
    "models/extensions/ir_ui_view.py:_doorman_workflow": 1,
    "models/extensions/mail_activity.py:_doorman_asking": 1,
    "models/extensions/mail_activity.py:write": 1,
    "models/extensions/mail_message.py:_doorman_keep": 1,
    "models/extensions/mail_message.py:create": 1,
    "models/extensions/res_groups.py:_doorman_logged_in": 1,
    "models/extensions/res_partner.py:write": 1,
    "models/extensions/res_users.py:_doorman_fingerprint": 1,
    "models/extensions/res_users.py:_doorman_grant_defaults": 1,
    "models/extensions/res_users.py:_doorman_log_out": 1,
    "models/extensions/res_users.py:unlink": 2,
    "models/extensions/res_users_page.py:_compute_doorman_scopes": 1,
    "models/extensions/res_users_page.py:_doorman_on_board": 1,
    "models/invite/accept.py:_accept": 1,
    "models/invite/accept.py:_acceptance_of": 1,
    "models/invite/accept.py:_by_digest": 1,
    "models/invite/accept.py:_groups_have_grown": 2,
    "models/invite/accept.py:_is_made_up": 1,
    "models/invite/accept.py:_make_account": 1,
    "models/invite/accept.py:_send_soon": 1,
    "models/invite/accept.py:_was_taken_from": 1,
    "models/invite/accept.py:_why_not": 1,
    "models/invite/connections.py:_revoke_for_good": 1,
    "models/invite/doorman_invite.py:_check_approver_internal": 1,
    "models/invite/doorman_invite.py:_check_grants": 4,
    "models/invite/doorman_invite.py:_check_not_wider": 1,
    "models/invite/doorman_invite.py:_make": 1,
    "models/invite/doorman_invite.py:create": 2,
    "models/invite/doorman_invite_acceptance.py:_compute_display_name": 1,
    "models/invite/page.py:_compute_creator_lacks": 1,
    "models/invite/rest_api.py:_api_others": 1,
    "models/invite/rest_api.py:_api_revoke": 1,
    "models/invite/rest_api.py:_model_rule": 1,
    "models/invite/rest_api.py:_wire": 1,
    "models/invite/revoke.py:_creators_back": 1,
    "models/invite/revoke.py:_creators_gone": 1,
    "models/invite/revoke.py:_revoke_connections": 1,
    "models/invite/revoke.py:action_revoke": 1,
    "models/invite/sign_up.py:_granted_scopes": 1,
    "models/invite/sign_up.py:_mail_code": 1,
    "models/mixins/doorman_model_rule_mixin.py:_called": 1,
    "models/mixins/doorman_model_rule_mixin.py:_check_domain": 2,
    "models/mixins/doorman_model_rule_mixin.py:_check_fields": 1,
    "models/mixins/doorman_model_rule_mixin.py:_check_model": 1,
    "models/mixins/doorman_model_rule_mixin.py:_copied": 1,
    "models/mixins/doorman_model_rule_mixin.py:_sentence": 1,
    "models/mixins/doorman_model_rule_mixin.py:_wire": 1,
    "models/mixins/doorman_policy_line_mixin.py:_changed": 1,
    "models/mixins/doorman_policy_line_mixin.py:_check_fixed": 1,
    "models/mixins/doorman_policy_line_mixin.py:unlink": 1,
    "models/mixins/doorman_policy_mixin.py:_set_restrictions": 1,
    "models/mixins/doorman_policy_sentence.py:_may": 2,
    "models/mixins/doorman_policy_sentence.py:_may_text": 1,
    "models/mixins/doorman_undo_mixin.py:_compute_can_undo": 1,
    "models/mixins/doorman_widening_mixin.py:_compute_pending_change_count": 1,
    "models/mixins/doorman_widening_mixin.py:_look": 1,
    "models/mixins/doorman_widening_mixin.py:_takes_two": 1,
    "models/mixins/doorman_widening_mixin.py:write": 1,
    "models/oauth/client_removal.py:_check_all_seen": 2,
    "models/oauth/client_removal.py:action_end": 1,
    "models/oauth/client_removal.py:action_restore": 1,
    "models/oauth/client_removal.py:action_rotate_secret": 1,
    "models/oauth/consent.py:_connection_of": 1,
    "models/oauth/consent.py:_standing": 3,
    "models/oauth/consent.py:_why_not_one_more": 1,
    "models/oauth/doorman_oauth_client.py:_drop_left": 1,
    "models/oauth/doorman_oauth_client.py:_drop_unused": 1,
    "models/oauth/doorman_oauth_client.py:_named": 2,
    "models/oauth/doorman_oauth_client.py:_new": 1,
    # Like the fence: a person's own list, or the settings, are not theirs to read.
    "models/oauth/doorman_oauth_issuer.py:_changed": 3,
    "models/oauth/doorman_oauth_issuer.py:_person": 1,
    "models/oauth/doorman_oauth_issuer.py:_select_provider": 1,
    "models/oauth/doorman_oauth_issuer.py:_trusted": 3,
    "models/oauth/doorman_oauth_issuer.py:action_confirm": 1,
    "models/oauth/doorman_oauth_request.py:_begin": 1,
    "models/oauth/doorman_oauth_request.py:_document": 1,
    "models/oauth/exchange.py:_in_grace": 1,
    "models/oauth/exchange.py:_leave_row": 1,
    "models/oauth/exchange.py:_reused": 1,
    "models/settings/audit.py:_tell_of_retention": 1,
    "models/settings/doorman_policy_change.py:_ask": 3,
    "models/settings/doorman_policy_change.py:_compute_texts": 1,
    "models/settings/doorman_policy_change.py:_end": 1,
    "models/settings/doorman_policy_change.py:_expire_due": 1,
    "models/settings/doorman_policy_change.py:_note": 1,
    "models/settings/doorman_policy_change.py:_people": 2,
    "models/settings/doorman_policy_change.py:_tell": 1,
    "models/settings/doorman_policy_change.py:action_confirm": 1,
    "models/settings/doorman_policy_change.py:action_reject": 1,
    "models/settings/doorman_settings.py:_company_path": 1,
    "models/settings/doorman_settings.py:_mcp_url": 1,
    "models/settings/doorman_settings.py:_snapshot": 2,
    "models/settings/doorman_settings.py:_switch": 1,
    "models/settings/doorman_settings.py:_web_url_is_kept": 1,
    "models/settings/key_age.py:_key_days": 1,
    "models/settings/read_only.py:_switch_read_only": 1,
    "models/settings/read_only.py:_who_made_read_only": 1,
    "models/settings/oauth.py:_oauth": 1,
    "models/settings/database_copy.py:_look_for_copy": 1,
    "models/settings/database_copy.py:_switch": 1,
    "models/settings/doorman_replica.py:_alive": 1,
    "models/settings/doorman_settings.py:_compute_gateway": 1,
    "models/settings/service_key.py:_generate_service_key": 1,
    "models/settings/service_key.py:_new_service_key": 1,
    "models/settings/service_key.py:_end_old_service_keys": 1,
    "models/settings/service_key.py:_end_service_user": 2,
    "models/extensions/service_user.py:write": 1,
    "policy/guard.py:records": 1,
    "policy/outward.py:_files": 1,
    "policy/outward.py:_waiting": 1,
    "policy/outward.py:about": 1,
    "policy/outward.py:of_change": 1,
    "policy/outward.py:outside_addresses": 1,
    "policy/outward.py:_answers_to": 3,
    "policy/outward.py:_scheduled": 1,
    "policy/outward.py:inside_addresses": 1,
    "policy/outward.py:outsiders": 1,
    "policy/outward_notes.py:_compare_by": 2,
    "policy/outward_notes.py:_read": 1,
    "policy/property_values.py:_definition": 1,
    "policy/record_url.py:url_of": 1,
    "policy/technical_models.py:is_technical": 1,
    "policy/values.py:_many2one": 1,
    "tools/call_preview.py:_settled": 1,
    "tools/call_preview.py:_where": 1,
    "tools/custom_tool_text.py:_known": 1,
    "tools/document_mail.py:_check_own_name": 1,
    "tools/messages.py:_attachments": 1,
    "tools/messages.py:_of": 1,
    "tools/messages.py:_tracking": 1,
    "tools/opened.py:_view_of": 1,
    "tools/press.py:_run_action": 1,
    "tools/record_versions.py:versions": 1,
    "tools/record_versions.py:versions_of_call": 1,
    "tools/reports.py:_report": 1,
    "tools/send_document.py:_check_number": 1,
    "tools/send_document.py:_sent": 1,
    "tools/send_document.py:_works_on": 1,
    "tools/undo.py:_check_silent": 1,
    "wizards/doorman_connect_wizard.py:_own_scopes": 1,
    "wizards/doorman_invite_wizard.py:_compute_own": 1,
    "wizards/doorman_invite_wizard.py:_own_scopes": 1,
    "wizards/doorman_review_copy.py:_pending": 1,
    "wizards/doorman_review_copy.py:_take_place": 2,
    "wizards/doorman_review_copy.py:action_apply": 2,
    "wizards/doorman_review_copy.py:create": 3,
    "wizards/doorman_review_copy_line.py:_end": 1,
    "wizards/doorman_review_copy_line.py:_of_this_database": 2,
    "wizards/doorman_undo_dialog.py:_attempt": 2,
    "wizards/doorman_undo_dialog.py:_decides": 1,
    "wizards/doorman_undo_dialog.py:_why_ended": 2,
    "wizards/doorman_undo_dialog.py:action_undo": 1,
}

# Queries that are put together from pieces: constants of the module, no values.
BUILT_SQL = {
    "models/audit/doorman_audit.py:INSERT",
    "models/audit/doorman_audit.py:FENCED_INSERT",
    "models/audit/chain_tables.py:FUNCTIONS",
    "models/audit/chain_tables.py:OLD",
    "models/audit/sums.py:FOLD",
    "models/audit/sums.py:PURGE",
    "models/audit/sums.py:REBUILD",
    "models/audit/tables.py:VIEWS",
    "models/audit/tables.py:ADD_DAYS",
    "models/audit/tables.py:ADD_CONNECTIONS",
    "models/audit/tables.py:TAKE_DAYS",
    "models/audit/tables.py:TAKE_CONNECTIONS",
}

SQL_WORDS = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\b")


def sources(root):
    for path in sorted(root.rglob("*.py")):
        if "tests" not in path.parts:
            name = str(path.relative_to(root))
            yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def named_nodes(tree):
    """Every node, with the name of the function or constant it stands in."""

    def walk(node, owner):
        for child in ast.iter_child_nodes(node):
            name = owner
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = child.name
            elif isinstance(child, ast.Assign) and owner == "<module>":
                name = getattr(child.targets[0], "id", owner)
            yield name, child
            yield from walk(child, name)

    yield from walk(tree, "<module>")


def calls(tree, method):
    for owner, node in named_nodes(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            if name == method:
                yield owner, node


def foreign_names(tree):
    """What a file imports from elsewhere than the addon."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) or (
            isinstance(node, ast.ImportFrom) and not node.level
        ):
            names |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return names


def manifest(root):
    return ast.literal_eval((root / "__manifest__.py").read_text(encoding="utf-8"))


# Where code is run, and where a transaction ends before its request does.
LOOKED_AT = {
    # Contexts and domains that administrators and modules have written into views and
    # actions, with plain values; Odoo's own web client works them out.
    ("policy/form_state.py", "safe_eval"): {"evaluated"},
    ("controllers/gateway_batch.py", "commit"): {"_one_of_many"},
    ("controllers/gateway_batch.py", "rollback"): {"_one_of_many"},
}
UNION = "SQL(' UNION ALL ').join("


class SourceChecks:
    """What holds for the source of each of our addons."""

    # Else Odoo runs none of these: it leaves out what a class has inherited.
    allow_inherited_tests_method = True
    maxDiff = None
    root = ROOT
    # As the constants of these names; an addon of ours has its own.
    sudo, built_sql, looked_at = {}, frozenset(), {}
    patched = frozenset()
    files = (
        "readme/DESCRIPTION.rst",
        "readme/CONTRIBUTORS.rst",
        "README.rst",
        "pyproject.toml",
        "static/description/icon.png",
        "static/description/index.html",
    )

    def test_sudo_only_where_it_was_looked_at(self):
        found = {}
        for name, tree in sources(self.root):
            for owner, _node in calls(tree, "sudo"):
                key = f"{name}:{owner}"
                found[key] = found.get(key, 0) + 1
        self.assertEqual(found, self.sudo)

    def test_nothing_becomes_the_superuser(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if isinstance(node, ast.keyword) and node.arg == "su":
                    value = getattr(node.value, "value", None)
                    self.assertIs(value, False, f"{name}:{owner}")
            for method in ("with_user", "update_env"):
                for owner, node in calls(tree, method):
                    text = ast.unparse(node)
                    self.assertNotIn("SUPERUSER", text, f"{name}:{owner}")
                    self.assertNotIn("user_root", text, f"{name}:{owner}")

    def test_no_commit_eval_or_print(self):
        for name, tree in sources(self.root):
            for word in ("commit", "rollback", "eval", "exec", "safe_eval", "print"):
                where = {owner for owner, _node in calls(tree, word)}
                allowed = self.looked_at.get((name, word), set())
                self.assertEqual(where, allowed, f"{word}() in {name}")

    def test_foreign_code_is_patched_in_one_place(self):
        """A class or module of Odoo's or of a library is changed by ``patches.py``
        alone, where each change has its reason and is made once."""
        found = set()
        for name, tree in sources(self.root):
            # Odoo's ``request`` is the current one, not code.
            foreign = foreign_names(tree) - {"request"}
            for owner, node in named_nodes(tree):
                targets = getattr(node, "targets", ())
                if isinstance(node, ast.Call):
                    if getattr(node.func, "id", "") == "setattr":
                        targets = (ast.Attribute(node.args[0]),)
                for target in targets:
                    if isinstance(target, ast.Attribute | ast.Subscript):
                        text = ast.unparse(target.value)
                        if text.split(".")[0] in foreign:
                            found.add(f"{name}:{owner}: {text}")
        self.assertEqual(found, self.patched)

    def test_html_becomes_text_in_one_place(self):
        """Odoo's own function puts the cells of a table side by side."""
        where = {
            name
            for name, tree in sources(self.root)
            if any(calls(tree, "html2plaintext"))
        }
        self.assertLessEqual(where, {"policy/plain_text.py"})

    def test_what_shows_is_known_in_one_place(self):
        """Python's own idea of it differs by version, and lets fillers through."""
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "category"):
                text = ast.unparse(node.func)
                self.assertNotEqual(text, "unicodedata.category", f"{name}:{owner}")
            ascii_only = {owner for owner, _node in calls(tree, "isascii")}
            for owner, _node in calls(tree, "isprintable"):
                self.assertIn(owner, ascii_only, f"{name}:{owner}")

    def test_translations_are_the_environments(self):
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "_"):
                text = ast.unparse(node.func)
                self.assertTrue(text.endswith("env._"), f"{name}:{owner}: {text}")
                first = node.args[0]
                self.assertIsInstance(first, ast.Constant, f"{name}:{owner}")

    def test_no_sql_is_built_from_values(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if f"{name}:{owner}" in self.built_sql:
                    continue
                text = self._built_text(node)
                if text and SQL_WORDS.search(text):
                    self.fail(f"SQL is put together in {name}:{owner}: {text[:60]}")

    def _built_text(self, node):
        if isinstance(node, ast.JoinedStr):
            return "".join(p.value for p in node.values if isinstance(p, ast.Constant))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
            return ast.unparse(node)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format":
            return ast.unparse(node)
        return ""

    def _is_constant(self, node):
        """Text, or the constant of a module."""
        return isinstance(node, ast.Constant) or (
            isinstance(node, ast.Name) and node.id.isupper()
        )

    def test_queries_are_constants(self):
        """The first argument of ``execute`` is text, ``SQL`` or a module's constant."""
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "execute"):
                first = node.args[0]
                good = (
                    self._is_constant(first)
                    or (
                        isinstance(first, ast.Call)
                        and getattr(first.func, "id", "") == "SQL"
                        and self._is_constant(first.args[0])
                    )
                    # SQL(" UNION ALL ").join(...) takes nothing but SQL.
                    or ast.unparse(first).startswith(UNION)
                )
                self.assertTrue(good, f"{name}:{owner}: {ast.unparse(first)[:60]}")

    def test_constraints_are_those_of_19(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if isinstance(node, ast.Name):
                    self.assertNotEqual(node.id, "_sql_constraints", f"{name}:{owner}")

    def test_overrides_call_super(self):
        for name, tree in sources(self.root):
            for _owner, node in named_nodes(tree):
                if not isinstance(node, ast.FunctionDef):
                    continue
                text = ast.unparse(node)
                if node.name in ("create", "write", "unlink", "copy", "default_get"):
                    refuses = "raise AccessError" in text
                    self.assertTrue(refuses or "super(" in text, f"{name}:{node.name}")

    def test_manifest(self):
        data = manifest(self.root)
        self.assertRegex(data["version"], r"^19\.0\.\d+\.\d+\.\d+$")
        self.assertEqual(data["license"], "LGPL-3")

    def test_what_oca_asks_for_is_there(self):
        for file in self.files:
            self.assertTrue((self.root / file).is_file(), file)

    def test_files_stay_short(self):
        for path in self.root.rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            self.assertLessEqual(lines, 600, path)


@tagged("post_install", "-at_install")
class TestStatic(SourceChecks, BaseCase):
    sudo, built_sql, looked_at = SUDO, BUILT_SQL, LOOKED_AT
    patched = frozenset(
        f"patches.py:post_load: {name}"
        for name in (
            *("socket.socket", "Registry", "Field", "_RelationalMulti", "Many2many"),
        )
    )
    files = (*SourceChecks.files, "i18n/doorman.pot")

    # ---- data, views ----

    def test_data_comes_in_order(self):
        files = manifest(ROOT)["data"]
        self.assertEqual(len(files), len(set(files)))
        for file in files:
            self.assertTrue((ROOT / file).is_file(), file)
        folders = [Path(f).parts[0] for f in files]
        order = [f for i, f in enumerate(folders) if i == 0 or folders[i - 1] != f]
        self.assertEqual(order[0], "security")
        self.assertIn("groups", files[0])
        self.assertTrue(files[-1].endswith("_menus.xml"), "menus come last")

    def test_every_data_file_is_loaded(self):
        listed = set(manifest(ROOT)["data"]) | set(manifest(ROOT).get("demo", ()))
        for folder in ("security", "data", "views", "wizards"):
            for path in (ROOT / folder).glob("*"):
                if path.suffix in (".xml", ".csv"):
                    self.assertIn(str(path.relative_to(ROOT)), listed)

    def _elements(self):
        for file in manifest(ROOT)["data"]:
            if file.endswith(".xml"):
                for element in ElementTree.parse(ROOT / file).getroot().iter():
                    yield file, element

    def test_xml_ids_are_unique(self):
        seen = {}
        for file, element in self._elements():
            if element.tag in ("record", "menuitem", "template"):
                seen.setdefault(element.get("id"), []).append(file)
        for path in (ROOT / "security").glob("*.csv"):
            with path.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    seen.setdefault(row["id"], []).append(path.name)
        self.assertFalse({k: v for k, v in seen.items() if len(v) > 1})

    def test_rules_and_settings_are_not_overwritten_by_updates(self):
        for file in ("security/doorman_rules.xml", "data/doorman_data.xml"):
            root = ElementTree.parse(ROOT / file).getroot()
            self.assertEqual(root.get("noupdate"), "1", file)

    def test_nobody_may_write_or_delete_the_audit(self):
        for path in (ROOT / "security").glob("*.csv"):
            with path.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.assertTrue(row["group_id:id"], row["id"])
                    if row["model_id:id"] == "model_doorman_audit":
                        for right in ("write", "create", "unlink"):
                            self.assertEqual(row[f"perm_{right}"], "0")

    def test_view_names_and_files(self):
        for file, element in self._elements():
            if element.tag == "record" and element.get("model") == "ir.ui.view":
                self.assertIn("_view", element.get("id"), file)
            self.assertNotIn(element.tag, ("tree",), f"<list> since 18: {file}")
            for word in ("attrs", "states"):
                self.assertIsNone(element.get(word), f"{word} in {file}")


if __name__ == "__main__":
    unittest.main()
