import logging

import psycopg2

from odoo import models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..policy.lost_database import is_lost
from ..policy.refusal import Refusal, with_place_of
from . import error_words

# A value of another type than the column it is compared with, or put into.
WRONG_TYPES = (
    psycopg2.errors.AmbiguousFunction,
    psycopg2.errors.CannotCoerce,
    psycopg2.errors.DatatypeMismatch,
    psycopg2.errors.IndeterminateDatatype,
    psycopg2.errors.UndefinedFunction,
)
# A value that fits its column but not its index, and a condition of too many parts.
TOO_LARGE = (
    psycopg2.errors.ProgramLimitExceeded,
    psycopg2.errors.StatementTooComplex,
)
_logger = logging.getLogger(__name__)


class DoormanGateway(models.AbstractModel):
    """Failures, in words for who called."""

    _inherit = "doorman.gateway"

    def _failure(self, exc, model="", lang=None):
        """What went wrong, as a refusal. It always has a code, and its words tell
        nothing of the inside.

        Concurrency errors are not answers: they go up, so that Odoo runs the whole
        request again and no audit row tells of a call that did not happen. The same
        goes for a database that is away: no row can be written.

        :param exc: what a call raised
        :param str model: that the call is about, if any
        :param str lang: that Odoo's own words are in; None for that of the environment
        :return: Refusal
        """
        again = (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)
        if isinstance(exc, again) or is_lost(exc):
            raise exc
        if isinstance(exc, Refusal):
            return exc
        return with_place_of(self._as_refusal(exc, model, lang), exc)

    def _as_refusal(self, exc, model, lang):
        if isinstance(exc, psycopg2.errors.QueryCanceled):
            return error_words.too_slow()
        if isinstance(exc, psycopg2.IntegrityError):
            return error_words.of_constraint(self._integrity_text(exc, lang))
        if told := error_words.of_odoo(exc):
            return told
        if isinstance(exc, TOO_LARGE) or (
            isinstance(exc, psycopg2.ProgrammingError)
            and (exc.pgcode is None or isinstance(exc, WRONG_TYPES))
        ):
            exc = psycopg2.DataError()
        wrong = (ValueError, TypeError, KeyError, OverflowError, psycopg2.DataError)
        if isinstance(exc, wrong):
            _logger.info("Doorman: invalid call", exc_info=exc)
            return error_words.of_invalid(exc, self.env, model)
        _logger.error("Doorman: call failed", exc_info=exc)
        return error_words.failed()

    def _integrity_text(self, exc, lang):
        told = self.with_context(lang=lang) if lang else self
        model = told.env["base"]
        for cls in self.env.registry.values():
            if exc.diag.table_name == cls._table:
                model = told.env[cls._name]
                break
        return model._sql_error_to_message(exc)
