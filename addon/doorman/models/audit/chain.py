"""The chain of the audit: made by a job, exported and held against what is there.
``chain_tables.py`` says how."""

import re

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools.sql import column_exists

from .chain_tables import CHAIN, EXPORT, FUNCTIONS, INSERTED, SCHEMA

DIGEST = re.compile(r"[0-9a-f]{64}")
# How many rows one request may ask for: both are far within a request's time.
MOST_EXPORTED = 5_000
MOST_VERIFIED = 50_000
LAST = 2**63 - 1
# With the index, which has nothing to read when the column comes. It is not sorted into
# by each call: PostgreSQL keeps what is new in a list of its own (fastupdate).
SEEN = """
    ALTER TABLE doorman_audit ADD COLUMN seen text[];
    CREATE INDEX doorman_audit_seen ON doorman_audit USING gin (seen)
        WHERE seen IS NOT NULL
"""


class DoormanAudit(models.Model):
    _inherit = "doorman.audit"

    def init(self):
        if not column_exists(self.env.cr, "doorman_audit", "seen"):
            self.env.cr.execute(SEEN)
        res = super().init()
        self.env.cr.execute(SCHEMA)
        self.env.cr.execute(FUNCTIONS)
        return res

    def _extend_chain(self, limit):
        """Give committed rows their links. Rows of transactions under way are
        not seen, and so not linked yet. Of two runs at once, the second fails to
        serialize.

        :param int limit: how many at most
        :return: how many were
        """
        self.env.cr.execute(
            "SELECT doorman_audit_extend(%s)", [limit], log_exceptions=False
        )
        return self.env.cr.fetchone()[0]

    def _check_auditor(self):
        """:raise AccessError: for anyone but MCP auditors and administrators"""
        person = self.env.user
        if not (
            person.has_group("doorman.group_auditor")
            or person.has_group("doorman.group_admin")
        ):
            raise AccessError(
                self.env._("Only an MCP auditor or administrator can do this.")
            )

    def _chain(self):
        """:return: ``{"head": {n, digest}, "start": {n, digest}}``: the last link, and
        the last one that retention removed; digests in hexadecimal"""
        self.env.cr.execute(CHAIN)
        [found] = self.env.cr.dictfetchall()
        return {
            "head": {"n": found["n"], "digest": found["digest"]},
            "start": {"n": found["start_n"], "digest": found["start_digest"]},
        }

    @api.model
    def api_export(self, after=0, limit=1000):
        """Rows of the chain, to be kept or checked outside of Odoo.

        :param int after: the number of the link before the first
        :param int limit: how many at most, up to 5,000
        :return: ``{lines, last, before, head, start}``. A line is JSON,
            ``{"n", "digest", "row"}``: the row in the form its digest is made of,
            ``null`` if it is gone. Of a row of other companies it has ``"withheld":
            true`` instead. ``last`` is the number of the last line, and ``before`` the
            link before the first
        :raise AccessError: for anyone but MCP auditors and administrators
        """
        self._check_auditor()
        after = self._whole("after", after, 0, LAST)
        limit = self._whole("limit", limit, 1, MOST_EXPORTED)
        chain = self._chain()
        before = self._place(after, chain)
        self.env.cr.execute(EXPORT, {"after": before["n"], "limit": limit})
        found = self.env.cr.dictfetchall()
        ids = [link["audit_id"] for link in found if link["row"] != "null"]
        mine = set(self.search([("id", "in", ids)], order="id").ids)
        lines = []
        for link in found:
            shown = link["row"] == "null" or link["audit_id"] in mine
            rest = f'"row":{link["row"]}' if shown else '"withheld":true'
            lines.append(f'{{"n":{link["n"]},"digest":"{link["digest"]}",{rest}}}')
        last = found[-1]["n"] if found else before["n"]
        return {"lines": lines, "last": last, "before": before, **chain}

    def _place(self, n, chain):
        """:return: the link with this number, or the nearest one before it"""
        if n <= chain["start"]["n"]:
            return chain["start"]
        if n >= chain["head"]["n"]:
            return chain["head"]
        self.env.cr.execute(
            "SELECT n, encode(digest, 'hex') AS digest FROM doorman_audit_link "
            "WHERE n <= %s ORDER BY n DESC LIMIT 1",
            [n],
        )
        return next(iter(self.env.cr.dictfetchall()), chain["start"])

    @api.model
    def api_verify(self, after=None, digest=None, head=None, limit=MOST_VERIFIED):
        """Hold the rows against their links, from one link on.

        :param int after: the last link that was found good, with its ``digest``; None
            for the start
        :param dict head: ``{n, digest}`` of an earlier export: the chain must still go
            through it
        :param int limit: how many rows at most, up to 50,000
        :return: ``{n, digest, more, problem, head, start}``: how far it holds;
            ``problem`` is None or ``{what, n, id}`` of the first that does not hold,
            with the id of the audit row. What: changed, content_changed, removed,
            link_removed, inserted, rewritten (the chain is not the one of ``head``),
            shortened (it ends before ``head``), retained (``head`` is older than what
            is kept)
        :raise AccessError: for anyone but MCP auditors and administrators
        """
        self._check_auditor()
        limit = self._whole("limit", limit, 1, MOST_VERIFIED)
        chain = self._chain()
        begin = chain["start"]
        if after is not None:
            begin = self._link("after", {"n": after, "digest": digest})
        answer = {"n": begin["n"], "digest": begin["digest"], "more": False, **chain}
        trouble = head is not None and self._held(self._link("head", head), chain)
        if trouble:
            return answer | {"problem": trouble}
        self.env.cr.execute(
            "SELECT n, encode(digest, 'hex'), looked, problem, audit_id "
            "FROM doorman_audit_check(%s, decode(%s, 'hex'), %s)",
            [begin["n"], begin["digest"], limit],
        )
        n, digest, looked, what, audit_id = self.env.cr.fetchone()
        answer |= {"n": n, "digest": digest, "more": looked == limit, "problem": None}
        if what:
            trouble = {"what": what, "n": n, "id": audit_id}
        elif not answer["more"]:
            trouble = self._at_the_end(answer, chain)
        if trouble:
            answer |= {"problem": trouble, "more": False}
        return answer

    def _held(self, head, chain):
        """:return: what is wrong if the chain does not go through ``head``, or None"""
        if head["n"] > chain["head"]["n"]:
            return {"what": "shortened", "n": head["n"], "id": None}
        if head["n"] == chain["start"]["n"]:
            link = (chain["start"]["digest"], None)
        elif head["n"] < chain["start"]["n"]:
            return {"what": "retained", "n": head["n"], "id": None}
        else:
            self.env.cr.execute(
                "SELECT encode(digest, 'hex'), audit_id FROM doorman_audit_link "
                "WHERE n = %s",
                [head["n"]],
            )
            link = self.env.cr.fetchone()
        if not link:
            return {"what": "link_removed", "n": head["n"], "id": None}
        if link[0] != head["digest"]:
            return {"what": "rewritten", "n": head["n"], "id": link[1]}
        return None

    def _at_the_end(self, answer, chain):
        """:return: what is wrong that only shows at the end, or None"""
        if {"n": answer["n"], "digest": answer["digest"]} != chain["head"]:
            return {"what": "link_removed", "n": answer["n"] + 1, "id": None}
        self.env.cr.execute(INSERTED)
        inserted = self.env.cr.fetchone()[0]
        return inserted and {"what": "inserted", "n": None, "id": inserted}

    def _link(self, name, value):
        """:return: a link that was given, its form checked"""
        if (
            not isinstance(value, dict)
            or not isinstance(value.get("digest"), str)
            or not DIGEST.fullmatch(value["digest"])
        ):
            raise ValidationError(
                self.env._(
                    "%s must be a number and a SHA-256 hash in hexadecimal.", name
                )
            )
        return {
            "n": self._whole(name, value.get("n"), 0, LAST),
            "digest": value["digest"],
        }

    def _whole(self, name, value, least, most):
        if type(value) is not int or not least <= value <= most:
            raise ValidationError(
                self.env._(
                    "%(name)s must be a whole number from %(least)s to %(most)s.",
                    name=name,
                    least=least,
                    most=most,
                )
            )
        return value
