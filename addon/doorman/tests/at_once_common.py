import functools
import uuid

from odoo import api
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name
from odoo.tools import mute_logger


class AtOnceCase(BaseCase):
    """Rows of the audit in transactions of their own, which are cleaned up after."""

    def setUp(self):
        super().setUp()
        # Odoo holds it while it tests: the threads would wait for ever.
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        self.name = uuid.uuid4().hex
        self.addCleanup(self._alone, self._clean)

    def _clean(self, env):
        env.cr.execute("DELETE FROM doorman_audit WHERE request_id = %s", [self.name])
        env["doorman.audit"]._rebuild_sums()

    def _alone(self, work):
        """:return: what ``work(env)`` does in a transaction of its own"""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            with mute_logger("odoo.service.model", "odoo.sql_db"):
                return retrying(functools.partial(work, env), env)

    def _insert(self, env):
        env["doorman.audit"]._insert(
            {"outcome": "ok", "count": 1, "request_id": self.name}
        )
