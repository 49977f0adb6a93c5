from datetime import timedelta

from odoo.tests import tagged

from ...models.settings.doorman_replica import MAX_REPLICAS, SILENT_AFTER_SECONDS
from ..common import DoormanCase

URL = "https://mcp.example.com/mcp"


@tagged("post_install", "-at_install")
class TestReplicas(DoormanCase):
    """Processes of the service, as their heartbeats tell."""

    def setUp(self):
        super().setUp()
        self.replicas = self.env["doorman.replica"]
        self.env.cr.execute("DELETE FROM doorman_replica")
        self.env.invalidate_all()

    def hello(self, replica, url=URL):
        told = self.gateway.hello("1.0", url, replica)
        self.env.invalidate_all()
        return told

    def age(self, seconds):
        self.env.cr.execute(
            "UPDATE doorman_replica SET seen = seen - make_interval(secs => %s)",
            [seconds],
        )
        self.env.invalidate_all()

    def test_each_has_a_row_and_the_settings_have_none(self):
        self.env.cr.execute("SELECT xmin::text FROM doorman_settings")
        before = self.env.cr.fetchall()
        for replica in ("a", "b", "a"):
            self.hello(replica)
        self.env.cr.execute("SELECT xmin::text FROM doorman_settings")
        self.assertEqual(self.env.cr.fetchall(), before)
        self.assertEqual(
            sorted(self.replicas.search([]).mapped("identifier")), ["a", "b"]
        )
        self.assertEqual(self.settings.replica_count, 2)
        self.assertEqual(self.settings.gateway_version, "1.0")
        self.assertFalse(self.settings.gateway_silent)
        self.assertFalse(self.settings.gateway_urls)

    def test_a_heartbeat_moves_the_time(self):
        self.hello("a")
        self.age(20)
        then = self.replicas.search([]).seen
        self.hello("a")
        seen = self.replicas.search([]).seen
        self.assertGreater(seen - then, timedelta(seconds=15))

    def test_silent(self):
        self.assertTrue(self.settings.gateway_silent)
        self.hello("a")
        self.age(SILENT_AFTER_SECONDS + 5)
        self.assertTrue(self.settings.gateway_silent)
        self.assertTrue(self.settings.gateway_last_seen)
        self.assertFalse(self.settings.replica_count)

    def test_two_services_with_one_key(self):
        self.assertEqual(self.hello("a")["services"], [URL])
        told = self.hello("b", "https://other.example.com/mcp")
        self.assertEqual(told["services"], [URL, "https://other.example.com/mcp"])
        self.assertIn("other.example.com", self.settings.gateway_urls)
        self.age(SILENT_AFTER_SECONDS + 5)
        self.assertFalse(self.settings.gateway_urls)

    def test_who_only_asks_is_none(self):
        self.gateway.hello()
        self.gateway.hello("", URL, "a")
        self.assertFalse(self.replicas.search([]))

    def test_bounded(self):
        """The service's key fills no table."""
        for n in range(MAX_REPLICAS + 5):
            self.replicas._note(f"r{n}", "1", URL)
        self.assertEqual(self.replicas.search_count([]), MAX_REPLICAS)
        self.age(20)
        self.hello("r0")
        newest = self.replicas.search([], limit=1)
        self.assertEqual(newest.identifier, "r0")
        self.hello("x" * 500, "https://" + "y" * 5000)
        self.age(2 * 24 * 3600)
        self.replicas._gc_replicas()
        self.assertEqual(self.replicas.search_count([]), 1)
        self.hello("z" * 500, "https://" + "y" * 5000)
        long = self.replicas.search([], limit=1)
        self.assertEqual((len(long.identifier), len(long.url)), (36, 256))
