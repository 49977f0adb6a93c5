"""What answers Host.Shell: a warm `odoo shell` that forks for each script.

It runs inside an `odoo shell` without a database (see shell.go), which has read
the configuration and set up the log. Importing Odoo and the modules takes most
of the time of an `odoo shell`, so that is done once. Nothing else is shared
between scripts: each has a process, a registry and a transaction of its own,
and goes through Odoo's own `Shell.shell`.

A caller connects to the socket and sends one line of JSON: database, script,
and the files for standard output and errors. The answer is the script's exit
status, a number, negative for a signal, as `subprocess` gives it. A caller that
closes its side of the connection before that ends the script.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import tempfile
import threading

import psutil

import odoo.http  # noqa: F401
import odoo.modules.loading  # noqa: F401
from odoo.cli.shell import Shell
from odoo.modules.module import Manifest, load_openerp_module
from odoo.tools import config


def load(names, done):
    """Import modules, each after those that it depends on."""
    for name in names:
        manifest = Manifest.for_addon(name)
        if name in done or not manifest:
            continue
        done.add(name)
        load(manifest["depends"], done)
        # What cannot be imported here fails again, and is reported, where a
        # script loads its registry.
        with contextlib.suppress(Exception):
            load_openerp_module(name)


def end(process):
    """Kill a process with all that it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for each in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def end_with_caller(connection, process):
    """Wait for the caller to close its side, then end the script."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    end(process)


def become(job):
    """Take the place of an `odoo shell -d DATABASE < SCRIPT > OUT 2> ERRORS`."""
    with tempfile.TemporaryFile() as script:
        script.write(job["script"].encode())
        script.seek(0)
        os.dup2(script.fileno(), 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for number, name in ((1, "out"), (2, "errors")):
        file = os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, number)
        os.close(file)
    config["db_name"] = [job["database"]]


def attend(connection):
    """Run one script in a child and report how it ended.

    Returns only in that child, with the name of the database.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line = connection.makefile("r", encoding="utf-8").readline()
    if not line.endswith("\n"):
        os._exit(0)  # the caller left before it had said everything
    job = json.loads(line)
    pid = os.fork()
    if not pid:
        connection.close()
        become(job)
        return job["database"]
    # A daemon, never joined: it still waits when this process ends.
    args = (connection, psutil.Process(pid))
    threading.Thread(target=end_with_caller, args=args, daemon=True).start()
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def serve(path):
    """Fork for each caller. Returns only in the process of a script."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(128)
    # The processes that attend to callers need nobody to wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    while True:
        connection, _ = listener.accept()
        sys.stdout.flush()
        sys.stderr.flush()
        if not os.fork():
            listener.close()
            return attend(connection)
        connection.close()


load(MODULES, set())  # noqa: F821
database = serve(SOCKET)  # noqa: F821
Shell().shell(database)
