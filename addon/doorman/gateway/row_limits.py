from dataclasses import dataclass

from odoo import models

from ..policy.refusal import Refusal, _lt
from ..tools import operations, row_counts


@dataclass(frozen=True)
class RowLimits:
    """How many rows a call may give out.

    What can be cut is (``Call.most_rows``); what cannot, such as an export, is refused.
    Nothing is counted here: the service does that, for all of its replicas, and says
    with each request what is left of the day.
    """

    # In one answer; None for as many as anybody gets.
    reply: int | None = None
    # Today; None for any number.
    left: int | None = None
    day: int | None = None

    @property
    def most(self):
        """:return: the lower of the two, or None"""
        return min((n for n in (self.reply, self.left) if n is not None), default=None)

    def check_left(self, request):
        """:raise Refusal: if a call would read rows, and the day has none left"""
        found = operations.of(request)
        if self.left != 0 or found is None or not found.reads:
            return
        # What is found to be empty would tell something, too.
        if found.rows is not row_counts.none:
            raise self._used_up()

    def spare(self, request, value):
        """Leave out what a change tells besides, if there is no room for it: what Odoo
        has filled in must not undo the change."""
        if self.most is not None and operations.rows_of(request, value) > self.most:
            if isinstance(value.get("rows"), list):
                value.pop("rows")

    def check(self, request, value):
        """:return: how many rows an answer gives out
        :raise Refusal: if these are more than it may
        """
        count = operations.rows_of(request, value)
        if self.left is not None and count > self.left:
            raise self._used_up()
        if self.reply is not None and count > self.reply:
            raise Refusal(
                "too_many_rows",
                _lt(
                    "This returns %(count)s rows, and this connection gets at most "
                    "%(most)s per reply.",
                    count=count,
                    most=self.reply,
                ),
                _lt("Ask for fewer at a time."),
            )
        return count

    def _used_up(self):
        return Refusal(
            "rows_used_up",
            _lt(
                "Rows of data that this connection can read a day: %(day)s; left "
                "today: %(left)s.",
                day=self.day,
                left=max(self.left, 0),
            ),
            _lt(
                "Ask for fewer, or wait until the next day (UTC). An administrator "
                "can raise the limit."
            ),
        )


class DoormanGateway(models.AbstractModel):
    """Limits of what flows out."""

    _inherit = "doorman.gateway"

    def _row_limits(self, connection, row, request, approved=False):
        """:param bool approved: a person has approved it: the day's rows are counted
            once the AI tool gets the answer
        :return: RowLimits
        """
        reply, day = connection._rows_rule(row["version"], row["settings_version"])
        left = None
        if day and not approved:
            left = request.get("rows_left")
            if type(left) is not int or left < 0:
                # The service never leaves it out.
                given = self.env["doorman.audit"]._rows_today(row["id"])
                left = max(day - given, 0)
            left = min(left, day)
        return RowLimits(reply or None, left, day or None)
