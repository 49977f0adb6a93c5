"""Which own tool a request is of, and how a person who decides on it reads it."""

# The method of a tool that changes something, and of one whose work is undone.
RUN, LOOK = "run_tool", "look_tool"


def name_of(request):
    """The own tool that a request is of, by what it does, or None."""
    kwargs = request.get("kwargs")
    if request.get("method") not in (RUN, LOOK) or not isinstance(kwargs, dict):
        return None
    name = kwargs.get("tool")
    return name if isinstance(name, str) else None


def _known(env, call):
    """The tool of a call, whatever has become of it: only to be shown."""
    tools = env["doorman.own.tool"].sudo()
    return tools.search([("name", "=", name_of(call) or "")])


def title_of(env, call):
    """What a tool is called, and by what name AI tools call it."""
    tool = _known(env, call)
    return f"{tool.title} ({tool.name})" if tool else str(name_of(call))


def in_words(describer, env, call):
    """The parameters of a call as a person reads them: records by their names."""
    given = call["kwargs"].get("parameters") or {}
    models = {p["name"]: p["model"] for p in _known(env, call)._parameters()}
    rows = describer.tree(given)
    for row, (name, value) in zip(rows, given.items(), strict=True):
        if models.get(name) and type(value) is int:
            row["text"] = describer._name(env[models[name]], value)
    return rows


def pointed_at(env, call):
    """:return: ``(model, id)`` of each record that a parameter names"""
    given = call["kwargs"].get("parameters")
    if not name_of(call) or not isinstance(given, dict):
        return []
    return [
        (p["model"], given[p["name"]])
        for p in _known(env, call)._parameters()
        if p["model"] and type(given.get(p["name"])) is int
    ]
