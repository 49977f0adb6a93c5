from odoo import api, models

from ...policy.plain_text import plain


class DoormanNotice(models.Model):
    """What one administrator has changed that all of them have to know: it stands in
    the chatter of what was changed, and each of the others is told."""

    _inherit = "doorman.notice"

    @api.model
    def _tell_change(self, record, what, **facts):
        """Note a change by the caller, and have the other administrators told.

        :param record: the settings, a connection or a trusted issuer
        :param str what: ``widened``, ``retention``, ``where``, ``issuer added`` or
            ``issuer changed``
        :param facts: what its sentence takes: ``name`` of a field, ``before`` and
            ``after``; ``names`` of fields; ``issuer`` and ``waits``. ``auditors``:
            whether they are told as well
        """
        data = facts | {
            "what": what,
            "who": plain(self.env.user.name, 100),
            "who_id": self.env.uid,
            "model": record._name,
            "id": record.id,
        }
        body = self._change_in_words(record, data)
        self.env["doorman.policy.change"]._note(record, body)
        known = {}
        if record._name == "doorman.connection":
            known["connection_id"] = record.id
        self._queue("changed", f"{record._name},{record.id}", data=data, **known)

    def _record(self):
        if self.kind == "changed":
            record = self.env[self.data["model"]].browse(self.data["id"]).exists()
            return record or super()._record()
        return super()._record()

    def _words_changed(self):
        record = self._record().sudo()
        return (
            self.env._(
                "Changed by %(who)s: %(place)s",
                who=self._told("who"),
                place=plain(record.display_name, 100),
            ),
            self._change_in_words(record, self.data),
        )

    @api.model
    def _change_in_words(self, record, data):
        """The sentence, in the language of the environment."""
        changes, who = self.env["doorman.policy.change"], data["who"]
        facts = {"who": who}
        if name := data.get("name"):
            facts |= {
                "field": changes._label(record, name),
                "before": changes._text(record, name, data["before"]),
                "after": changes._text(record, name, data["after"]),
            }
        if data["what"] == "widened":
            return self.env._(
                "%(who)s widened access. %(field)s: %(before)s to %(after)s.", **facts
            )
        if data["what"] == "retention":
            return self.env._(
                "%(who)s shortened %(field)s: %(before)s to %(after)s. Older rows are "
                "removed within a day: export them before that.",
                **facts,
            )
        if data["what"] == "where":
            return self.env._(
                "%(who)s changed where notices go: %(fields)s.",
                who=who,
                fields=", ".join(changes._label(record, n) for n in data["names"]),
            )
        issuer = data["issuer"]
        if data["what"] == "issuer added":
            words = self.env._(
                "%(who)s added the trusted issuer %(issuer)s.", who=who, issuer=issuer
            )
        else:
            words = self.env._(
                "%(who)s changed the trusted issuer %(issuer)s.", who=who, issuer=issuer
            )
        if data["waits"]:
            words += " " + self.env._("It is waiting for another MCP administrator.")
        return words
