"""Answers that are kept, and told again later: to who asks once more with the same
idempotency key, or asks how a request for approval stands.

Where the policy was changed since, they may say more than the connection is told today.
So they are told only as long as it may read and do the same as when they were made.
"""

from .refusal import Refusal, _lt


def not_told():
    """Of what was done under another policy than today's."""
    return Refusal(
        "answer_not_told",
        _lt(
            "This was done. Its result is no longer available, because the policy of "
            "this connection has changed since."
        ),
        _lt("Do not send it again. Read the records to see their current state."),
    )
