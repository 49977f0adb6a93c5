"""How code of this addon says that it may write what nobody writes from outside."""

# An object, not a value: no JSON or XML that arrives over RPC can be this very
# object, so no context from outside passes for ours.
SENTINEL = object()
CONTEXT_KEY = "doorman_inside"
