"""How a person who decides on a request of an own tool reads it."""


def _known(env, kwargs):
    """The tool of a call, whatever has become of it: only to be shown."""
    tools = env["doorman.own.tool"].sudo()
    name = kwargs.get("tool")
    return tools.search([("name", "=", name if isinstance(name, str) else "")])


def summary(words, call):
    """What a call would do: by what its tool is called, and by what name AI tools call
    it."""
    tool = _known(call.env, call.kwargs)
    title = f"{tool.title} ({tool.name})" if tool else str(call.kwargs.get("tool"))
    if not words.names:
        return words.env._("Run the tool “%s”", title)
    return words.env._("Run the tool “%(tool)s”: %(what)s", tool=title, what=words.what)


def arguments(call):
    """The parameters of a call as a person reads them: records by their names.

    :return: ``[{label, text}]``
    """
    given = call.kwargs.get("parameters") or {}
    models = {
        p["name"]: p["model"] for p in _known(call.env, call.kwargs)._parameters()
    }
    rows = call.describer.tree(given)
    for row, (name, value) in zip(rows, given.items(), strict=True):
        if models.get(name) and type(value) is int:
            row["text"] = call.describer.name(call.env[models[name]], value)
    return rows


def points_at(env, kwargs):
    """:return: ``(model, id)`` of each record that a parameter names"""
    given = kwargs.get("parameters")
    if not isinstance(kwargs.get("tool"), str) or not isinstance(given, dict):
        return []
    return [
        (p["model"], given[p["name"]])
        for p in _known(env, kwargs)._parameters()
        if p["model"] and type(given.get(p["name"])) is int
    ]
