package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"

	"doorman/server/access"
)

// Job is one piece of periodic work.
type Job struct {
	Name    string
	Every   time.Duration // from one run to the next
	Timeout time.Duration // of one run
	Run     func(context.Context) error
}

// Heartbeat tells Odoo that the service lives, lets note take what Odoo says of itself, and follows the jobs that it lists.
func (r *Runner) Heartbeat(g access.Gateway, note func(access.Hello, error)) Job {
	return Job{Name: "heartbeat", Every: 15 * time.Second, Timeout: 10 * time.Second, Run: func(ctx context.Context) error {
		hello, err := g.Hello(ctx)
		note(hello, err)
		if err == nil {
			r.Follow(hello.Jobs)
		}
		return err
	}}
}

// Catalog makes the tool catalog in Odoo the one that this service serves.
func Catalog(g access.Gateway, tools []access.CatalogTool) Job {
	return Job{Name: "catalog", Every: time.Hour, Timeout: 30 * time.Second, Run: func(ctx context.Context) error {
		return g.SyncCatalog(ctx, tools)
	}}
}

// upkeep is a job that Odoo lists: it is asked for while there is more. A deadline that comes first is not a failure: the rest
// waits for the next run.
func upkeep(u access.Upkeep, spec access.Job) Job {
	return Job{Name: spec.Name, Every: spec.Every, Timeout: spec.Timeout, Run: func(ctx context.Context) error {
		for turn := 0; ; turn++ {
			p, err := u.Upkeep(ctx, spec.Name)
			if turn > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil
			}
			// Done 0 and more to do would be a loop that never ends, and Odoo at full load meanwhile.
			if err != nil || !p.More || p.Done == 0 {
				return err
			}
			if ctx.Err() != nil {
				return nil //nolint:nilerr // what is left waits for the next run
			}
		}
	}}
}

// retry is how long a job that has never succeeded waits before its next try.
const retry = 2 * time.Second

// Runner runs jobs until Stop: those of the service, and those that Odoo lists. It is safe for concurrent use.
type Runner struct {
	log    zerolog.Logger
	upkeep access.Upkeep
	watch  Watch
	outage outage
	cron   *cron.Cron
	ctx    context.Context
	cancel context.CancelFunc
	first  sync.WaitGroup // first runs

	mu       sync.Mutex
	stopped  bool
	followed map[string]*entry // by name; also those that are no longer listed
	refused  map[string]access.Job
	warned   bool // that nothing is listed
}

// entry is a job on the clock.
type entry struct {
	busy sync.Mutex // one run at a time
	from time.Time  // runs come at from + n times Every

	// What follows is guarded by Runner.mu.
	job    Job
	id     cron.EntryID // 0 = not on the clock
	trying bool         // its first run is under way, or has succeeded
}

// Watch is told that a run of a job begins, and gives the context for it. ended is told what came of it: "ok" or the kind of the
// error; "" = the service stopped, which says nothing of the job.
type Watch func(ctx context.Context, job string) (_ context.Context, ended func(outcome string))

// New returns a runner that asks u for what Odoo lists. It runs nothing until Start. watch hears of every run; nil = nobody does.
func New(log zerolog.Logger, u access.Upkeep, watch Watch) *Runner {
	if watch == nil {
		watch = func(ctx context.Context, _ string) (context.Context, func(string)) { return ctx, func(string) {} }
	}
	return &Runner{
		log: log, upkeep: u, watch: watch, cron: cron.New(cron.WithChain(cron.Recover(logger{log}))),
		followed: map[string]*entry{}, refused: map[string]access.Job{},
	}
}

// Start runs every job once at once, again until it has succeeded, and then by its period. It is called once. The error is
// about a job that cannot be run.
func (r *Runner) Start(ctx context.Context, jobs ...Job) error {
	for _, job := range jobs {
		if why := wrong(access.Job{Name: job.Name, Every: job.Every, Timeout: job.Timeout}); why != "" {
			return fmt.Errorf("job %s: %s", job.Name, why)
		}
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.cron.Start()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range jobs {
		r.put(&entry{from: time.Now()}, job)
	}
	return nil
}

// Stop ends the jobs: no new run starts, those under way are cancelled and waited for.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cancel()
	<-r.cron.Stop().Done()
	r.first.Wait()
}

// put sets the clock for e, and starts its first run if it has had none. r.mu is held.
func (r *Runner) put(e *entry, job Job) {
	if e.id != 0 {
		r.cron.Remove(e.id)
	}
	e.job = job
	e.id = r.cron.Schedule(steady{e.from, job.Every}, cron.FuncJob(func() { _ = r.run(e) }))
	if !e.trying {
		e.trying = true
		r.first.Go(func() { r.untilDone(e) })
	}
}

// untilDone runs e until it has succeeded, or is taken off the clock.
func (r *Runner) untilDone(e *entry) {
	for r.run(e) != nil {
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(retry):
		}
		if !r.goesOn(e) {
			return
		}
	}
}

// goesOn reports whether e is still on the clock; if not, its first run is still to come.
func (r *Runner) goesOn(e *entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.id == 0 {
		e.trying = false
	}
	return e.id != 0
}

// run runs e, unless the run before goes on: a slow Odoo does not pile up runs.
func (r *Runner) run(e *entry) error {
	r.mu.Lock()
	job := e.job
	r.mu.Unlock()
	if !e.busy.TryLock() {
		r.log.Debug().Str("job", job.Name).Msg("job still runs: skipped")
		return nil
	}
	defer e.busy.Unlock()
	return r.runOnce(job)
}

// steady is every so often, counted from one moment. Unlike cron's own @every it does not start anew when a job is put on
// the clock again: one of every day would never run while two servers of Odoo, of two versions, list it differently.
type steady struct {
	from  time.Time
	every time.Duration
}

// Next implements cron.Schedule.
func (s steady) Next(t time.Time) time.Time {
	return s.from.Add(t.Sub(s.from).Truncate(s.every) + s.every)
}

// runOnce runs a job within its deadline and logs how it went.
func (r *Runner) runOnce(job Job) (err error) {
	start := time.Now()
	watched, ended := r.watch(r.ctx, job.Name)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			ended(string(access.Internal))
			r.log.Error().Str("job", job.Name).Interface("panic", p).Msg("job panicked")
		}
	}()
	ctx, cancel := context.WithTimeout(watched, job.Timeout)
	defer cancel()
	err = job.Run(ctx)
	event, outcome := r.log.Debug(), "ok"
	switch {
	case err == nil:
		if after := r.outage.over(time.Now()); after > 0 {
			event = r.log.Info().Dur("after", after)
		}
	case ctx.Err() != context.Canceled:
		e := access.AsError(err)
		if r.outage.news(e, time.Now()) {
			event = r.log.Warn()
		}
		event, outcome = event.Str("error", e.Error()), string(e.Kind)
	}
	if ctx.Err() == context.Canceled {
		outcome = ""
	}
	ended(outcome)
	event.Str("job", job.Name).Dur("took", time.Since(start)).Msg("job ran")
	return err
}

// logger lets cron speak through zerolog.
type logger struct{ log zerolog.Logger }

func (l logger) Info(msg string, kv ...any) { l.log.Debug().Fields(kv).Msg(msg) }

func (l logger) Error(err error, msg string, kv ...any) { l.log.Error().Err(err).Fields(kv).Msg(msg) }
