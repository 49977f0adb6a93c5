package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rounds  int
	seconds float64
	only    string
	check   bool
	json    string
	doorman string
	other   string
	addons  string
	odooLog string
	venv    string
	docs    string
	rows    int
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 6, "how often every way has its turn; the fake part takes twice as many")
	flags.Float64Var(&o.seconds, "seconds", 1, "length of one turn")
	flags.StringVar(&o.only, "only", "", "`part` to run: real or fake (default: both), writes, search, scale, or peers")
	flags.BoolVar(&o.check, "check", false, "exit with 1 if a bar is missed")
	flags.StringVar(&o.json, "json", "", "write all results to this `file` too")
	flags.StringVar(&o.doorman, "doorman", "", "use this `binary` instead of building doorman")
	flags.StringVar(&o.other, "other", "", "fake part: let a second doorman `binary` take turns too, to compare two builds")
	flags.StringVar(&o.addons, "addons", "", "real Odoo: use this addons `folder` instead of the repository's")
	flags.StringVar(&o.odooLog, "odoo-log", "", "real Odoo: keep its log in this `file`")
	flags.StringVar(&o.venv, "venv", "", "peers part: a `folder` with a virtual environment that holds the other servers, instead of one in the cache")
	flags.StringVar(&o.docs, "docs", "", "put the tables into this Markdown `file`, between the marks of their parts")
	flags.IntVar(&o.rows, "rows", 3_000_000, "scale part: audit rows of the big database, of which each connection has 300")
	if err = flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !slices.Contains([]string{"", "real", "fake", "writes", "search", "scale", "peers"}, o.only):
		err = fmt.Errorf("--only is real, fake, writes, search, scale or peers, not %q", o.only)
	case o.check && o.only == "peers":
		err = errors.New("--check judges bars, and the part peers has none")
	case o.only != "peers" && o.venv != "":
		err = errors.New("--venv is for --only peers")
	case o.rows < 10*smallRows || o.rows > 100_000_000:
		err = errors.New("--rows must be between 100,000 and 100,000,000")
	case o.rounds < 1 || o.rounds > 100:
		err = errors.New("--rounds must be between 1 and 100")
	case o.seconds < 0.1 || o.seconds > 60:
		err = errors.New("--seconds must be between 0.1 and 60")
	}
	return o, err
}

func (o options) slice() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareCommand {
		exitOn(serveBare(os.Args[2]), 1)
		return
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	exitOn(err, 2)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	passed, err := run(ctx, o)
	stop()
	exitOn(err, 1)
	if o.check && !passed {
		os.Exit(1)
	}
}

func exitOn(err error, code int) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(code)
	}
}

// run runs the parts that are asked for, prints them, and reports whether every bar holds.
func run(ctx context.Context, o options) (passed bool, err error) {
	tools, err := newToolbox(ctx, o)
	if err != nil {
		return false, err
	}
	defer tools.remove()
	if o.only == "peers" {
		return true, runPeers(ctx, o, func(ctx context.Context) (*peersPart, error) { return comparePeers(ctx, o, tools) })
	}
	all := results{Machine: machine(), Load: loadAverage()}
	switch o.only {
	case "search":
		if all.Search, err = measureSearch(ctx, o, tools); err != nil {
			return false, fmt.Errorf("search: %w", err)
		}
		all.Search.print(os.Stdout)
		return judge(o, all)
	case "writes":
		if all.Writes, err = measureWrites(ctx, o, tools); err != nil {
			return false, fmt.Errorf("writes: %w", err)
		}
		for _, p := range []*part{all.Writes.Create, all.Writes.Update, all.Writes.Floor} {
			printPart(os.Stdout, p)
		}
		return judge(o, all)
	case "scale":
		if all.Scale, err = measureScale(ctx, o, tools); err != nil {
			return false, fmt.Errorf("scale: %w", err)
		}
		all.Scale.print(os.Stdout)
		return judge(o, all)
	}
	if o.only != "fake" {
		if all.Real, err = realPart(ctx, o, tools); err != nil {
			return false, fmt.Errorf("real Odoo: %w", err)
		}
		printPart(os.Stdout, all.Real)
	}
	if o.only != "real" {
		if all.Fake, err = fakePart(ctx, o, tools); err != nil {
			return false, fmt.Errorf("fake Odoo: %w", err)
		}
		printPart(os.Stdout, all.Fake)
	}
	return judge(o, all)
}

// judge prints the bars of what was measured, and writes all of it where that is asked for.
func judge(o options, all results) (passed bool, err error) {
	all.Bars = bars(all)
	passed = printBars(os.Stdout, all.Bars)
	return passed, errors.Join(writeDocs(o, all), writeJSON(o.json, all))
}
