"""The permissions that come with being an MCP user."""

DEFAULT_SCOPE_GROUPS = (
    "doorman.group_scope_metadata",
    "doorman.group_scope_search",
    "doorman.group_scope_orm",
)

# In a context, this very object: who becomes an MCP user gets what an invite says.
NO_DEFAULTS = object()
