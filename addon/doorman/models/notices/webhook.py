import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

from ...policy import webhooks

# Minutes until it is tried once more; after the last of them it has failed.
AGAIN = (1, 5, 30)
POST_AT_ONCE = 5


class DoormanNotice(models.Model):
    """Posting to the webhook: never in the transaction of what it reports, at most 4
    times, and each time with the same id, by which a receiver knows it again."""

    _inherit = "doorman.notice"

    def _wait_for_post(self):
        if self.env["doorman.settings"]._get().sudo().notice_webhook_url:
            now = fields.Datetime.now()
            self.write({"post_state": "waiting", "next_try": now})

    @api.model
    def _post_waiting(self):
        """Post what is due, a few at a time, until one does not get there: a receiver
        that does not answer must not keep a worker of Odoo's.

        :return: how many were tried, and whether to go on
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM doorman_notice WHERE post_state = 'waiting' "
                "AND next_try <= clock_timestamp() at time zone 'utc' "
                "ORDER BY next_try LIMIT %s FOR UPDATE SKIP LOCKED",
                POST_AT_ONCE,
            ),
            log_exceptions=False,
        )
        due = self.sudo().browse([row[0] for row in self.env.cr.fetchall()])
        for tried, notice in enumerate(due, 1):
            if not notice._still_holds():
                # Decided meanwhile: there is nothing to do about it any more.
                notice.post_state = "none"
            elif not notice._post():
                return tried, False
        return len(due), bool(due)

    @api.model
    def _any_to_post(self):
        due = [
            ("post_state", "=", "waiting"),
            ("next_try", "<=", fields.Datetime.now()),
        ]
        return bool(self.sudo().search_count(due, limit=1))

    def _post(self):
        """Try once, and note how it went.

        :return: whether it got there
        """
        try:
            self._post_once()
        except webhooks.NotSent as exc:
            self._not_sent(f"{exc.why} {exc.status or ''}".strip())
            return False
        self.write({"post_state": "sent", "tries": self.tries + 1, "error": False})
        return True

    def _post_once(self):
        settings = self.env["doorman.settings"]._get().sudo()
        text = self.with_context(lang=settings.notice_lang, tz="UTC")
        ident, now = self._ident(), int(time.time())
        made = fields.Datetime.to_string(self.create_date).replace(" ", "T") + "Z"
        words = text._words()
        body = webhooks.body_of(
            settings.notice_webhook_format,
            words,
            {
                "type": f"doorman.{self.kind}",
                "timestamp": made,
                "data": text._data() | {"url": words["url"]},
            },
        )
        secret = settings._webhook_secret()
        if not secret:
            raise webhooks.NotSent("bad_secret")
        headers = {
            "webhook-id": ident,
            "webhook-timestamp": str(now),
            "webhook-signature": webhooks.sign(secret, ident, now, body),
        }
        url = settings.notice_webhook_url or ""
        webhooks.post(url, body, headers, settings.notice_webhook_own_network)

    def _ident(self):
        """The same at each try, and another one in each database."""
        database = self.env["doorman.settings"]._database_id()
        return f"msg_{database}_{self.id}"

    def _not_sent(self, why):
        wait = AGAIN[self.tries] if self.tries < len(AGAIN) else None
        again = fields.Datetime.now() + timedelta(minutes=wait or 0)
        # A test is not tried again: its sender sees how it went.
        over = wait is None or self.kind == "test"
        self.write(
            {
                "post_state": "failed" if over else "waiting",
                "tries": self.tries + 1,
                "next_try": again,
                "error": why,
            }
        )

    # ---- told in Server Settings ----

    def _why_not_sent(self):
        """Why it did not get there, in plain words."""
        why, _space, status = (self.error or "").partition(" ")
        words = {
            "bad_secret": self.env._("There is no valid secret: create a new one."),
            "bad_url": self.env._("The webhook URL is not valid."),
            "unknown_name": self.env._("The webhook's host name is not known."),
            "not_public": self.env._("The webhook's address is not a public one."),
            "bad_certificate": self.env._("The webhook's certificate is not valid."),
            "no_answer": self.env._("The webhook did not answer within 5 seconds."),
            "redirect": self.env._(
                "The webhook answered with a redirect (HTTP %s). Redirects are not "
                "followed.",
                status,
            ),
            "refused": self.env._("The webhook refused it (HTTP %s).", status),
        }
        return words.get(why, "")

    def _delivery(self):
        """How it went, in one line."""
        zone = self.env.user.tz or "UTC"
        when = format_datetime(self.env, self.write_date, zone, "short")
        if self.post_state == "sent":
            return self.env._("Delivered on %s", when)
        if self.post_state == "waiting":
            return self.env._(
                "%(why)s Tried on %(when)s; another attempt will follow.",
                why=self._why_not_sent(),
                when=when,
            )
        return self.env._(
            "%(why)s Last tried on %(when)s.", why=self._why_not_sent(), when=when
        )
