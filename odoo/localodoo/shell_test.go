package localodoo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shellTests has the cases of Shell that need no process of their own to be ended; db has the addon of tinyAddon.
func shellTests(t *testing.T, h *Host, db string) {
	names := func() string {
		t.Helper()
		out, err := h.Psql(t.Context(), db, "SELECT string_agg(name, ',' ORDER BY id) FROM tiny_thing")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := names()
	rows := []struct {
		name, script string
		out, failed  string // what is printed, and what the error says
		made         string // what is committed
	}{
		{"prints and commits", "thing = env['tiny.thing'].create({'name': 'ä shell'})\nprint(thing.name, self == env.user, __name__)", "ä shell True __main__\n", "", ",ä shell"},
		{"an exception", "env['tiny.thing'].create({'name': 'never'})\nprint('said', flush=True)\n1/0", "said\n", "ZeroDivisionError: division by zero", ""},
		{"no Python at all", "a line of prose", "", "SyntaxError", ""},
		{"an early end", "env['tiny.thing'].create({'name': 'never'})\nimport sys\nsys.exit()", "", "", ""},
		{"an early end with a status", "import sys\nsys.exit(3)", "", "exit status 3", ""},
		{"an early end with a word", "import sys\nsys.exit('a word')", "", "a word", ""},
		{"a crash", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "", "signal: killed", ""},
		{"output of a program", "import subprocess\nsubprocess.run(['echo', 'a program'], check=True)", "a program\n", "", ""},
		{"standard input that has ended", "import subprocess\nsubprocess.run(['cat'], check=True)", "", "", ""},
		{"much output", "print('x' * 3_000_000)", strings.Repeat("x", 3_000_000) + "\n", "", ""},
		{"leaves something in the process", "import builtins\nbuiltins.left = env['tiny.thing'].__class__.left = 1", "", "", ""},
		{"finds nothing left", "import builtins\nprint(hasattr(builtins, 'left'), hasattr(env['tiny.thing'], 'left'))", "False False\n", "", ""},
		{"a PDF that gets an attachment", attachToPDF, "[('a.xml', b'<x/>')]\n", "", ""},
		{"knows its database", "from odoo.tools import config\nprint(config['db_name'] == [env.cr.dbname])", "True\n", "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			out, err := h.Shell(t.Context(), db, row.script)
			if out != row.out {
				t.Errorf("printed %.200q, want %.200q", out, row.out)
			}
			if (err == nil) != (row.failed == "") || err != nil && !strings.Contains(err.Error(), row.failed) {
				t.Errorf("error %v, want %q", err, row.failed)
			}
			if now := names(); now != before+row.made {
				t.Errorf("committed %q after %q", now, before)
			}
			before += row.made
		})
	}
	t.Run("a database that is not there", func(t *testing.T) {
		if out, err := h.Shell(t.Context(), "t_nowhere", "print(1)"); err == nil || !strings.Contains(err.Error(), "t_nowhere") || out != "" {
			t.Errorf("%q %v", out, err)
		}
	})
	t.Run("several at once", func(t *testing.T) {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if out, err := h.Shell(t.Context(), db, fmt.Sprintf("print(%d)", i)); err != nil || out != fmt.Sprintf("%d\n", i) {
					t.Errorf("%q %v", out, err)
				}
			})
		}
		all.Wait()
	})
	t.Run("cancelled", func(t *testing.T) { shellCancelled(t, h, db) })
	if n := shellProcesses(t, h); n != 1 {
		t.Errorf("%d processes have imported Odoo for all these scripts, want 1", n)
	}
}

// attachToPDF does what Odoo does with an invoice, which the PDF library of the machine must be able to.
const attachToPDF = `
import io
from odoo.tools.pdf import OdooPdfFileReader, OdooPdfFileWriter, PdfWriter
plain, attached = io.BytesIO(), io.BytesIO()
page = PdfWriter()
page.add_blank_page(100, 100)
page.write(plain)
writer = OdooPdfFileWriter()
writer.cloneReaderDocumentRoot(OdooPdfFileReader(plain, strict=False))
writer.addAttachment("a.xml", b"<x/>", subtype="text/xml")
writer.write(attached)
print(list(OdooPdfFileReader(attached, strict=False).getAttachments()))`

// shellProcesses counts the processes that a Host has ever started for scripts.
func shellProcesses(t *testing.T, h *Host) int {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(h.work.dir, "log", "shell-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return len(logs)
}

// blocked is a script that waits for ever in a program of its own, after it has written a record and a file.
func blocked(file string) string {
	return fmt.Sprintf(`env['res.partner'].create({'name': 'never'})
import os, subprocess
print('begun', flush=True)
program = subprocess.Popen(['sleep', '1000'])
with open(%[1]q + '.new', 'w') as f:
    f.write(f'{os.getpid()} {program.pid}')
os.rename(%[1]q + '.new', %[1]q)
program.wait()`, file)
}

// begun waits until a blocked script has written its file and returns what it says: two process numbers.
func begun(t *testing.T, file string) (script, program int) {
	t.Helper()
	eventually(t, time.Minute, "the script has begun", func() bool { _, err := os.Stat(file); return err == nil })
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &script, &program); err != nil {
		t.Fatal(err)
	}
	return script, program
}

// gone reports whether a process has ended; one that nobody has waited for counts.
func gone(pid int) bool {
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err != nil || len(cmdline) == 0
}

func shellCancelled(t *testing.T, h *Host, db string) {
	file := filepath.Join(h.work.dir, "home", "begun-cancelled")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var script, program int
	var all sync.WaitGroup
	all.Go(func() { script, program = begun(t, file); cancel() })
	out, err := h.Shell(ctx, db, blocked(file))
	all.Wait()
	if !errors.Is(err, context.Canceled) || out != "begun\n" {
		t.Errorf("%q %v", out, err)
	}
	if !gone(script) {
		t.Error("Shell has returned, and the script lives")
	}
	eventually(t, time.Minute, "the script's program gone", func() bool { return gone(program) })
	if out, err := h.Psql(t.Context(), db, "SELECT count(*) FROM res_partner WHERE name = 'never'"); err != nil || out != "0" {
		t.Errorf("committed %s, %v", out, err)
	}
}

// What ends or replaces the process that runs the scripts.
func TestShellProcess(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	h := start(t, tinyOptions(t))
	addons := h.addons[0]
	db := database(t, h)
	count := func(what string, want int) {
		t.Helper()
		if n := shellProcesses(t, h); n != want {
			t.Errorf("%s: %d processes were started, want %d", what, n, want)
		}
	}
	speak := func() string {
		t.Helper()
		out, err := h.Shell(t.Context(), db, "print(getattr(env['tiny.thing'], 'speak', lambda: 'mute')())")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	if said := speak(); said != "mute" {
		t.Errorf("said %q", said)
	}
	models := filepath.Join(addons, "tiny_one", "models.py")
	text, err := os.ReadFile(models)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(text string) {
		t.Helper()
		if err := os.WriteFile(models, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit(string(text) + "\n    def speak(self):\n        return 'edited'\n")
	if said := speak(); said != "edited" {
		t.Errorf("after an edit of the addon it said %q", said)
	}
	count("edited", 2)
	edit(string(text) + "\nno Python\n")
	if _, err := h.Shell(t.Context(), db, "print(1)"); err == nil || !strings.Contains(err.Error(), "SyntaxError") {
		t.Errorf("with a broken addon: %v", err)
	}
	edit(string(text))
	speak()
	count("broken and mended", 4)
	if err := signalProcess(h.shells.now.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-h.shells.now.done
	speak()
	count("killed", 5)

	file := filepath.Join(h.work.dir, "home", "begun-closed")
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := h.Shell(context.Background(), db, blocked(file)); !errors.Is(err, errClosed) {
			t.Errorf("a script that runs when the Host is closed: %v", err)
		}
	})
	script, program := begun(t, file)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	for _, pid := range []int{script, program} {
		eventually(t, time.Minute, "nothing left of the script after Close", func() bool { return gone(pid) })
	}
	if _, err := h.Shell(t.Context(), db, "print(1)"); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}
