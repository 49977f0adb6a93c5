"""How a rule of ours says no."""


class Refusal(Exception):
    """The call is refused by a rule of ours, with a kind that the service knows."""

    def __init__(self, kind, message, hint=""):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
