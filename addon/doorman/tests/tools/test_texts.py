from odoo.tests import tagged
from odoo.tools import html_sanitize

from odoo.addons.doorman.policy.plain_text import (
    from_html,
    of_email,
    where_they_differ,
)
from odoo.addons.doorman.tools.text_losses import READ_AT_ONCE

from ..common import ApprovalCase, WriteCase

LONG = "<p>" + "</p><p>".join(f"Line {n} of a long text." for n in range(200)) + "</p>"


@tagged("post_install", "-at_install")
class TestMarkdown(WriteCase):
    """Markdown becomes the HTML that the service sends along with it."""

    def test_values(self):
        text, html = "**now**\nand then", "<p><strong>now</strong><br>\nand then</p>"
        child = {"name": "Child", "comment": text}
        [parent] = self.create(
            {"name": "Parent", "comment": text, "child_ids": [child]}, html={text: html}
        )["value"]["ids"]
        parent = self.env["res.partner"].browse(parent)
        for partner in (parent, parent.child_ids):
            self.assertEqual(partner.comment, html_sanitize(html), partner.name)
        self.write(self.acme, {"comment": text, "ref": text}, html={text: html})
        self.assertEqual(self.acme.comment, html_sanitize(html))
        self.assertEqual(self.acme.ref, text, "no HTML in a field that is none")

    def test_without_html(self):
        self.write(self.acme, {"comment": "a < b\nc"}, html={"other": "<p>x</p>"})
        self.assertEqual(self.acme.comment, "<p>a &lt; b<br>c</p>")

    def test_html_is_checked_as_any(self):
        for made in ("<p>a<script>alert(1)</script></p>", '<p onclick="x()">a</p>'):
            self.write(self.acme, {"comment": "a"}, html={"a": made})
            self.assertEqual(self.acme.comment, "<p>a</p>", made)
        for made in ('<p t-out="1+1">a</p>', '<t t-esc="a"/>'):
            found = self.write(self.acme, {"comment": "b"}, html={"b": made})
            self.assertEqual(self.kind_of(found), "invalid_input", made)
        for wrong in ({"a": 1}, {"a": ["<p>a</p>"]}):
            found = self.write(self.acme, {"comment": "a"}, html=wrong)
            self.assertEqual(self.kind_of(found), "invalid_input", wrong)
        for wrong in ([], "a", 1):
            found = self.write(self.acme, {"comment": "a"}, html=wrong)
            self.assertEqual(self.kind_of(found), "invalid_input", wrong)
        self.assertEqual(self.acme.comment, "<p>a</p>")

    def test_posted(self):
        for text, html in (
            ("**now**", "<p><strong>now</strong></p>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            (
                "see https://a.example/x_y or [this](https://b.example)",
                '<p>see <a href="https://a.example/x_y">https://a.example/x_y</a> or '
                '<a href="https://b.example">this</a></p>',
            ),
            (
                "ask a@b.example",
                '<p>ask <a href="mailto:a@b.example">a@b.example</a></p>',
            ),
        ):
            with self.subTest(text):
                body = self._post(text, html)
                self.assertEqual(body, html_sanitize(html))

    def test_posted_html_says_no_more_than_its_text(self):
        """Who approves a message has read its text."""
        for text, html in (
            ("Hello", "<p>Hello, pay now</p>"),
            ("pay 100", "<p>pay 1000</p>"),
            ("Hello", '<p><a href="https://evil.example">Hello</a></p>'),
            ("Hello", '<p>Hello<img src="https://evil.example/x.png"></p>'),
            ("Hello", '<p style="display:none">Hello</p>'),
            ("Hello", '<p class="o_mail_notification">Hello</p>'),
            ("Hello", "<p>olleH</p>"),
        ):
            with self.subTest(html):
                self.assertEqual(self._post(text, html), f"<p>{text}</p>")

    def _post(self, text, html):
        answer = self.call(
            "res.partner", "message_post", self.acme.ids, body=text, html={text: html}
        )
        return self.env["mail.message"].browse(answer["value"]["message_id"]).body

    def test_activity_note(self):
        made = "<p><strong>Call</strong></p>"
        answer = self.call(
            "res.partner",
            "activity_schedule",
            self.acme.ids,
            note="**Call**",
            html={"**Call**": made},
        )
        activity = self.env["mail.activity"].browse(answer["value"]["activity_id"])
        self.assertEqual(activity.note, made)


@tagged("post_install", "-at_install")
class TestTextEdits(WriteCase):
    """A part of a text is changed, and the rest stays as it is."""

    def test_append(self):
        coloured = '<p style="color: red;">Old</p>'
        self.acme.write({"comment": coloured, "ref": "A"})
        old = self.acme.comment
        self.write(
            self.acme,
            {"comment": {"append": "**new**"}, "ref": {"append": "-1"}},
            html={"**new**": "<p><strong>new</strong></p>"},
        )
        self.assertEqual(self.acme.comment, f"{old}<p><strong>new</strong></p>")
        self.assertEqual(self.acme.ref, "A-1")

    def test_each_record_keeps_its_own(self):
        other = self.env["res.partner"].create({"name": "Other", "ref": "B"})
        self.acme.ref = "A"
        self.write(self.acme + other, {"ref": {"append": "1"}})
        self.assertEqual((self.acme + other).mapped("ref"), ["A1", "B1"])

    def test_replace(self):
        self.acme.comment = "<p>Pay <b>100</b> by May.</p><p>May we help?</p>"
        self.write(self.acme, {"comment": {"replace": "by May", "with": "by <June>"}})
        self.assertEqual(
            self.acme.comment,
            "<p>Pay <b>100</b> by &lt;June&gt;.</p><p>May we help?</p>",
        )
        self.acme.comment = False
        self.write(self.acme, {"comment": {"append": "first"}})
        self.assertEqual(self.acme.comment, "<p>first</p>")

    def test_a_line_of_a_record(self):
        child = self.env["res.partner"].create(
            {"name": "C", "ref": "x", "parent_id": self.acme.id}
        )
        self.write(self.acme, {"child_ids": [[1, child.id, {"ref": {"append": "y"}}]]})
        self.assertEqual(child.ref, "xy")

    def test_refused(self):
        self.acme.write({"comment": "<p>one two one</p>", "ref": "one two one"})
        for values in (
            {"comment": {"replace": "one", "with": "x"}},  # twice
            {"ref": {"replace": "one", "with": "x"}},
            {"comment": {"replace": "three", "with": "x"}},
            {"comment": {"replace": "", "with": "x"}},
            {"ref": {"replace": "", "with": "x"}},
            {"ref": {"append": 1}},
            {"ref": {"append": ["x"]}},
            {"ref": {"append": "x", "with": "y"}},
            {"ref": {"prepend": "x"}},
            {"color": {"append": "1"}},
            {"parent_id": {"append": "1"}},
        ):
            with self.subTest(values):
                found = self.write(self.acme, values)
                self.assertEqual(self.kind_of(found), "invalid_input")
        for values in ({"name": {"append": "x"}}, {"comment": {"append": "x"}}):
            self.assertEqual(self.kind_of(self.create(values)), "invalid_input")
        self.assertEqual(self.acme.ref, "one two one")
        self.assertEqual(self.acme.comment, "<p>one two one</p>")

    def test_what_may_not_be_read(self):
        """To append is to read: a field that is closed to the user stays so."""
        field = self.env["res.partner"]._fields["ref"]
        self.patch(field, "groups", "base.group_no_one,base.group_erp_manager")
        found = self.write(self.acme, {"ref": {"append": "x"}})
        self.assertEqual(self.kind_of(found), "forbidden")


@tagged("post_install", "-at_install")
class TestTextLosses(ApprovalCase):
    """An update that drops a text's end, or its formatting, comes with a warning."""

    def test_end(self):
        self.acme.comment = LONG
        start = LONG[:READ_AT_ONCE]
        for said, vals in (
            (1, {"comment": start + "</p><p>New.</p>"}),
            (0, {"comment": LONG + "<p>New.</p>"}),
            (0, {"comment": {"append": "New."}}),
            (0, {"comment": {"replace": "Line 7 of a", "with": "Line 7 of one"}}),
        ):
            for dry_run in (True, False):
                with self.subTest(vals=str(vals)[:60], dry_run=dry_run):
                    self.acme.comment = LONG
                    value = self.write(self.acme, vals, more={"dry_run": dry_run})
                    self.assertEqual(len(self._warnings(value["value"])), said)

    def test_short_texts_and_new_records(self):
        self.acme.comment = "<p>Short</p>"
        value = self.write(self.acme, {"comment": "Other"})["value"]
        self.assertEqual(self._warnings(value), [])
        value = self.create({"name": "N", "comment": LONG})["value"]
        self.assertEqual(self._warnings(value), [])

    def test_formatting(self):
        for html, word in (
            ('<p style="color: red;">a</p>', "colors"),
            ("<p><u>a</u></p>", "underlining"),
            ('<p>a<img src="/web/image/1"></p>', "images"),
            ('<ul class="o_checklist"><li>a</li></ul>', "check lists"),
            ('<div class="alert alert-info">a</div>', "colored boxes"),
        ):
            with self.subTest(word):
                self.acme.comment = html
                value = self.write(self.acme, {"comment": "b"})["value"]
                [warning] = self._warnings(value)
                self.assertIn(word, warning)
                self.acme.comment = html
                value = self.write(self.acme, {"comment": {"append": "b"}})["value"]
                self.assertEqual(self._warnings(value), [])

    def test_approval(self):
        self.acme.comment = LONG
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"comment": "b"}
        )
        self.assertIn("characters", str(approval.warnings_html))
        self.assertIn("lacks its end", str(approval.warnings_html))
        # The approver reads about the record and its field, not a tool's arguments.
        self.assertIn("Acme, Notes: the text has", str(approval.warnings_html))
        self.assertNotIn("append", str(approval.warnings_html))
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"comment": {"append": "End."}}
        )
        self.assertNotIn("lacks its end", str(approval.warnings_html or ""))
        # Of a long text, what differs is shown.
        self.assertIn("End.", str(approval.changes_html))
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertTrue(str(self.acme.comment).endswith("<p>End.</p>"))

    def test_approved_markdown(self):
        made = "<p><strong>b</strong></p>"
        approval = self.waiting(
            "res.partner",
            "write",
            self.acme.ids,
            vals={"comment": "**b**"},
            html={"**b**": made},
        )
        self.by("approver", approval).action_approve()
        self.assertEqual(self.acme.comment, made)

    def test_a_text_that_changed_meanwhile(self):
        """What is appended to is what the approver has seen."""
        self.acme.comment = "<p>One</p>"
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"comment": {"append": "Two"}}
        )
        self.acme.comment = "<p>Other</p>"
        self.env.flush_all()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "pending", "it is shown anew")
        self.by("approver", approval).action_approve()
        self.assertEqual(self.acme.comment, "<p>Other</p><p>Two</p>")

    @staticmethod
    def _warnings(value):
        entries = [value, *(value.get("changed") or [])]
        return [text for entry in entries for text in entry.get("warnings", ())]


@tagged("post_install", "-at_install")
class TestPlainText(WriteCase):
    def test_from_html(self):
        table = (
            "<table><tr><td>Qty 1</td>\n<td>12.50</td></tr>"
            "<tr><td>Qty 2</td><td>7</td></tr></table>"
        )
        lines = [line for line in from_html(table).splitlines() if line]
        self.assertEqual(
            [" ".join(line.split()) for line in lines], ["Qty 1 | 12.50", "Qty 2 | 7"]
        )
        self.assertEqual(from_html(False), "")

    def test_of_email(self):
        filler = "<div style='display:none'>%s" + "&#847; &#8203; " * 140 + "</div>"
        below = "<p>Dear <b>Ann</b>,</p><p>it is ready.</p>"
        told = of_email(filler % "Dear Ann, it is" + below)
        self.assertEqual(told, "Dear *Ann*,\nit is ready.")
        # A preview that says something else stays, and so do stray invisible letters.
        told = of_email(filler % "Our secret" + below)
        self.assertIn("Our secret", told)
        self.assertNotIn("\u200b", told)
        odd = "<p>a" + "\u200b\u200c\u200b\u200b" * 3 + "b</p>"
        self.assertIn("\u200c", of_email(odd))
        self.assertEqual(of_email(below), from_html(below))

    def test_where_they_differ(self):
        self.assertEqual(where_they_differ("a", "b"), ("a", "b"))
        same = "x" * 1000
        old, new = where_they_differ(same + "1", same + "22")
        self.assertEqual(old, "… " + "x" * 60 + "1 (1001)")
        self.assertEqual(new, "… " + "x" * 60 + "22 (1002)")
        _old, new = where_they_differ(same, same + "1" * 1000, limit=100)
        self.assertEqual(new, "… " + "x" * 60 + "1" * 40 + "… (2000)")
        self.assertEqual(
            where_they_differ(same, same)[0], where_they_differ(same, same)[1]
        )
