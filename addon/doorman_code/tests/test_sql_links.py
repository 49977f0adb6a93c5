import contextlib
import json

from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.doorman.policy.redact_links import withhold_links

from ..sql_links import _clean
from .sql_common import SqlCase

TOKEN = "4f0c6a52d1e94b7e8a3b5c6d7e8f9012"
# What a query would do to tell a token that its link no longer names.
APART = (
    "SELECT comment AS t FROM res_partner {one}",
    "SELECT split_part(comment, 'token=', 2) AS t FROM res_partner {one}",
    "SELECT substr(comment, strpos(comment, 'token') + 6, 99) AS t FROM res_partner "
    "{one}",
    "SELECT reverse(comment) AS t FROM res_partner {one}",
    "SELECT replace(comment, 'token', 'x') AS t FROM res_partner {one}",
    "SELECT encode(convert_to(comment, 'UTF8'), 'hex') AS t FROM res_partner {one}",
    "SELECT string_agg(c, '-') AS t FROM (SELECT unnest(string_to_array(comment, "
    "NULL)) AS c FROM res_partner {one}) x",
    "SELECT upper(p.comment) AS t FROM res_partner p {one}",
    "WITH x AS (SELECT comment FROM res_partner {one}) SELECT md5(comment) AS t FROM x",
    "SELECT comment LIKE '%token=4f0c%' AS t FROM res_partner {one}",
    "SELECT (SELECT max(comment) FROM res_partner {one}) || '' AS t",
    "SELECT regexp_replace(website, '.', ',', 'g') AS t FROM res_partner {one}",
    "SELECT split_part(website, '/', 5) AS t FROM res_partner {one}",
    "SELECT left(a.comment, 200) AS t FROM res_partner a JOIN res_partner b USING (id) "
    "WHERE b.name = 'Doorman links'",
)
# Of what is as it was.
SAME = (
    "SELECT p.id, p.name, count(u.id) FROM res_partner p LEFT JOIN res_users u "
    "ON u.partner_id = p.id GROUP BY p.id ORDER BY p.id LIMIT 20",
    "SELECT id, name, comment, website FROM res_partner WHERE name != 'Doorman links' "
    "ORDER BY id LIMIT 20",
    "SELECT id, name FROM res_country ORDER BY id LIMIT 20",
    "SELECT id, description FROM ir_module_module ORDER BY id LIMIT 5",
    "SELECT id, domain, context FROM ir_act_window ORDER BY id LIMIT 20",
)


@tagged("post_install", "-at_install")
class TestSqlLinks(SqlCase):
    """A token in a text stays within Odoo, whatever a query makes of the text."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A query runs on a connection of its own: it sees what is committed.
        cls.partner = cls.committed(
            "INSERT INTO res_partner (name, comment, website, active) "
            "VALUES ('Doorman links', %s, %s, true) RETURNING id",
            f"<p>Look:\n/my/orders/7?access_token={TOKEN}</p>",
            f"https://x.example/hr_attendance/{TOKEN}",
        )
        cls.addClassCleanup(
            cls.committed, "DELETE FROM res_partner WHERE id = %s", cls.partner
        )

    @classmethod
    def committed(cls, query, *facts):
        with contextlib.closing(db_connect(cls.env.cr.dbname).cursor()) as cr:
            cr.execute(query, facts)
            found = cr.fetchone() if cr.description else None
            cr.commit()
        return found and found[0]

    def direct(self, query):
        """The query as PostgreSQL answers it."""
        with contextlib.closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            cr.execute(query)
            return [list(row) for row in cr.fetchall()]

    def test_taken_apart(self):
        for query in APART:
            query = query.format(one="WHERE name = 'Doorman links'")
            with self.subTest(query=query):
                [[direct]] = self.direct(query)
                [[told]] = self.sql(query)["value"]["rows"]
                self.assertNotEqual(told, direct)
                self.assertNotIn(TOKEN[:8], json.dumps(told))
                self.assertNotIn(TOKEN[:8], str(told)[::-1])
                self.assertNotIn(TOKEN[:8].upper(), str(told))

    def test_what_is_told_instead(self):
        query = "SELECT comment, website FROM res_partner WHERE name = 'Doorman links'"
        [row] = self.sql(query)["value"]["rows"]
        self.assertEqual(row[0], "<p>Look:\n/my/orders/7?[withheld]</p>")
        self.assertEqual(row[1], "https://x.example/hr_attendance/[withheld]")

    def test_past_the_views(self):
        for name in ("public.res_partner", '"public"."res_partner"'):
            for query in (
                "SELECT split_part(comment, 'token=', 2) FROM {}",
                "SELECT a.name, split_part(b.comment, 'n=', 2) FROM res_partner a "
                "JOIN {} b USING (id)",
                "SELECT (SELECT max(comment) FROM {})",
                "WITH x AS (SELECT reverse(comment) FROM {}) TABLE x",
            ):
                query = query.format(name)
                with self.subTest(query=query):
                    error = self.sql(query)["error"]
                    self.assertEqual(error["code"], "table_not_readable")
        # Where no text is read, the schema may stand there.
        self.assertIn("value", self.sql("SELECT id, name FROM public.res_partner"))

    def test_the_function_is_not_the_callers(self):
        error = self.sql("SELECT doorman_sql_clean('x')")["error"]
        self.assertEqual(error["code"], "function_not_allowed")

    def test_what_is_as_it_was(self):
        for query in SAME:
            with self.subTest(query=query):
                direct = json.loads(json.dumps(self.direct(query), default=str))
                self.assertTrue(direct)
                self.assertEqual(self.sql(query)["value"]["rows"], direct)

    def test_texts_within_json(self):
        """JSON's escapes are not part of a word, and the JSON stays valid: as
        Python takes the tokens out of the text itself."""
        for before in ("", "\n", "\t", "\\", "\\n", '"', "\u001f", "é ", "a\\\\"):
            with self.subTest(before=before):
                text = f'{before}token=x {before}token="{before}'
                self.env.cr.execute(
                    SQL(
                        "SELECT v FROM (SELECT %s FROM (SELECT %s::jsonb AS v) a) b",
                        _clean("v", "jsonb"),
                        json.dumps({"en_US": text}),
                    )
                )
                told = self.env.cr.fetchone()[0]["en_US"]
                self.assertEqual(told, withhold_links(text))
                self.assertNotIn("token=x", told)
