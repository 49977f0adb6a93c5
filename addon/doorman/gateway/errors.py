import logging

import psycopg2

from odoo import models
from odoo.exceptions import (
    AccessDenied,
    AccessError,
    ConcurrencyError,
    LockError,
    MissingError,
    RedirectWarning,
    UserError,
)
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..policy.refusal import Refusal, place_of
from . import error_words

# A value of another type than the column it is compared with, or put into.
WRONG_TYPES = (
    psycopg2.errors.AmbiguousFunction,
    psycopg2.errors.CannotCoerce,
    psycopg2.errors.DatatypeMismatch,
    psycopg2.errors.IndeterminateDatatype,
    psycopg2.errors.UndefinedFunction,
)
_logger = logging.getLogger(__name__)


class DoormanGateway(models.AbstractModel):
    """Failures, in words for who called."""

    _inherit = "doorman.gateway"

    def _error(self, exc):
        """What went wrong, as kind and words, without anything of the inside.

        Concurrency errors are not answers: they go up, so that Odoo runs the whole
        request again and no audit row tells of a call that did not happen.
        """
        if isinstance(exc, (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
            raise exc
        error = self._told(exc)
        if place := place_of(exc):
            error["message"] = f"{place}: {error['message']}"
        return error

    def _told(self, exc):
        if isinstance(exc, Refusal):
            return exc.told()
        if isinstance(exc, psycopg2.errors.QueryCanceled):
            return {
                "kind": "odoo_timeout",
                "message": "Odoo did not finish in time; nothing was changed.",
            }
        if isinstance(exc, psycopg2.IntegrityError):
            return {"kind": "business_rule", "message": self._integrity_text(exc)}
        kinds = (
            (AccessError, "forbidden"),
            (AccessDenied, "forbidden"),
            (MissingError, "not_found"),
            (LockError, "conflict"),
            (UserError, "business_rule"),
            # Its other arguments are for Odoo's own client: where to go from there.
            (RedirectWarning, "business_rule"),
        )
        for cls, kind in kinds:
            if isinstance(exc, cls):
                return {"kind": kind, "message": str(exc.args[0] if exc.args else exc)}
        if isinstance(exc, psycopg2.ProgrammingError) and (
            exc.pgcode is None or isinstance(exc, WRONG_TYPES)
        ):
            exc = psycopg2.DataError()
        wrong = (ValueError, TypeError, KeyError, OverflowError, psycopg2.DataError)
        if isinstance(exc, wrong):
            _logger.info("Doorman: invalid call", exc_info=exc)
            return {
                "kind": "invalid_input",
                "message": error_words.meaning(exc),
                "hint": error_words.UNCLEAR_HINT,
            }
        _logger.error("Doorman: call failed", exc_info=exc)
        return {"kind": "internal", "message": "Odoo failed to answer this call."}

    def _integrity_text(self, exc):
        model = self.env["base"]
        for cls in self.env.registry.values():
            if exc.diag.table_name == cls._table:
                model = self.env[cls._name]
                break
        return model._sql_error_to_message(exc)
