"""How the REST API for administrators refuses."""

from odoo.exceptions import AccessError


class ApiRefused(AccessError):
    """What an administrator may not do by the API.

    :param str code: stable, for programs; ``AdminCode`` in the service
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
