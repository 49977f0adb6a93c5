import psycopg2
from psycopg2.pool import PoolError

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ...controllers.gateway import DoormanController
from ...policy.lost_database import is_lost
from ...policy.refusal import Refusal


@tagged("post_install", "-at_install")
class TestLostDatabase(TransactionCase):
    """A database that is away is told as that, wherever in a call it is noticed; what
    it refuses is told as a refusal."""

    def test_it_is_told_from_a_refusal(self):
        rows = [
            (psycopg2.errors.AdminShutdown(), True),
            (psycopg2.errors.CrashShutdown(), True),
            (psycopg2.errors.CannotConnectNow(), True),
            (psycopg2.errors.TooManyConnections(), True),
            (psycopg2.OperationalError("server closed the connection"), True),
            (psycopg2.InterfaceError("connection already closed"), True),
            (psycopg2.InterfaceError("cursor already closed"), True),
            (PoolError("The Connection Pool Is Full"), True),
            (psycopg2.InterfaceError("Cursor already closed"), False),
            (psycopg2.errors.QueryCanceled(), False),
            (psycopg2.errors.DiskFull(), False),
            (psycopg2.errors.UndefinedTable(), False),
            (psycopg2.errors.UniqueViolation(), False),
            (psycopg2.DataError(), False),
            (RuntimeError("connection already closed"), False),
            (UserError("connection already closed"), False),
        ]
        gateway = self.env["doorman.gateway"]
        for exc, lost in rows:
            with self.subTest(exc=repr(exc)):
                self.assertEqual(is_lost(exc), lost)
                status, name, _message = DoormanController._fault(exc)
                self.assertEqual(
                    (status, name) == (503, "psycopg2.OperationalError"), lost
                )
                with mute_logger("odoo.addons.doorman.gateway.errors"):
                    if lost:
                        with self.assertRaises(type(exc)):
                            gateway._failure(exc)
                    else:
                        self.assertIsInstance(gateway._failure(exc), Refusal)
