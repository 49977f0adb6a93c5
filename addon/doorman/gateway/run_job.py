from typing import NamedTuple

from odoo import api, models

from ..policy.refusal import Refusal, _lt

# What the service takes (jobs/follow.go); it refuses, and logs, what is beyond.
EVERY = range(1, 7 * 24 * 3600 + 1)
TIMEOUT = range(1, 3600 + 1)


class Job(NamedTuple):
    method: str
    every: int
    timeout: int


def job(*, every, timeout):
    """Make a method of ``doorman.gateway`` a job: ``hello`` lists it, and the service
    runs it by its name, which is the method's without the underscore.

    A job takes nothing and returns ``progress()``. It may run at any time, as often as
    one likes, from several replicas at once.

    :param int every: seconds from one run to the next, 1 s to 7 days
    :param int timeout: seconds that one run may take, calls again while there is more
        to do included; 1 s to 1 hour
    """

    def mark(function):
        name = function.__name__
        # A public method could be called by RPC, past run_job's check of the caller.
        if not name.startswith("_") or name.startswith("__"):
            raise ValueError(f"job {name}: its method starts with one underscore")
        if every not in EVERY or timeout not in TIMEOUT:
            raise ValueError(f"job {name}: {every} s or {timeout} s is out of bounds")
        function._doorman_job = Job(name, every, timeout)
        return function

    return mark


def progress(*, more=False, **counts):
    """What a job answers.

    :param bool more: it stopped before the end, to keep its transaction short, and
        wants to be called again at once
    :param int counts: what it did, each by a name
    :rtype: dict
    """
    return {"counts": counts, "more": more}


class DoormanGateway(models.AbstractModel):
    """The work that the service starts by its clock, listed by ``hello``."""

    _inherit = "doorman.gateway"

    # How many records a job ends, or reminds people of, in one transaction. Without a
    # bound, a day on which thousands are due would never be over: each run would reach
    # its time limit, and be undone.
    _at_once = 500

    @classmethod
    def _jobs(cls):
        """:return: ``{name: Job}``, of the modules that are in this database"""
        marked = (
            getattr(value, "_doorman_job", None)
            for part in reversed(cls.__mro__)
            for value in vars(part).values()
        )
        return {
            spec.method.removeprefix("_"): spec
            for spec in marked
            if isinstance(spec, Job)
        }

    def _job_list(self):
        """:return: ``[{name, every, timeout}]``, in seconds"""
        return [
            {"name": name, "every": spec.every, "timeout": spec.timeout}
            for name, spec in sorted(self._jobs().items())
        ]

    @api.model
    def run_job(self, name):
        """Do what a job finds to do, in one transaction.

        :param str name: of a job that ``hello`` lists
        :return: ``{counts: {what: how many}, more}``, or ``{error}``
        :rtype: dict
        """
        self._check_caller()
        spec = self._jobs().get(name) if isinstance(name, str) else None
        if spec is None:
            refused = Refusal("unknown_job", _lt("There is no such job."))
            return {"error": refused.told()}
        return getattr(self, spec.method)()
