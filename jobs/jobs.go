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
	Name     string
	Schedule string        // cron syntax, or "@every 15s"; UTC
	Timeout  time.Duration // of one run
	Run      func(context.Context) error
}

// Heartbeat tells Odoo that the service lives, and lets note take what Odoo says of itself.
func Heartbeat(g access.Gateway, note func(access.Hello, error)) Job {
	return Job{Name: "heartbeat", Schedule: "@every 15s", Timeout: 10 * time.Second, Run: func(ctx context.Context) error {
		hello, err := g.Hello(ctx)
		note(hello, err)
		return err
	}}
}

// Catalog makes the tool catalog in Odoo the one that this service serves.
func Catalog(g access.Gateway, tools []access.CatalogTool) Job {
	return Job{Name: "catalog", Schedule: "@hourly", Timeout: 30 * time.Second, Run: func(ctx context.Context) error {
		return g.SyncCatalog(ctx, tools)
	}}
}

// OAuth deletes requests, codes, tokens and registrations that are over.
func OAuth(g access.OAuth) Job {
	return Job{Name: "oauth", Schedule: "@hourly", Timeout: 5 * time.Minute, Run: untilEnd(g.PurgeOAuth)}
}

// Upkeep is what Odoo wants done from time to time.
func Upkeep(u access.Upkeep) []Job {
	return []Job{
		{Name: "use", Schedule: "@every 1m", Timeout: 50 * time.Second, Run: untilEnd(u.FoldUse)},
		{Name: "expiry", Schedule: "@every 5m", Timeout: time.Minute, Run: untilEnd(u.ExpireConnections)},
		{Name: "approvals", Schedule: "@every 1m", Timeout: 50 * time.Second, Run: untilEnd(u.ExpireApprovals)},
		{Name: "approvers", Schedule: "@every 1m", Timeout: 50 * time.Second, Run: untilEnd(u.RemindApprovals)},
		{Name: "invites", Schedule: "@every 5m", Timeout: time.Minute, Run: untilEnd(u.ExpireInvites)},
		{Name: "invited", Schedule: "@hourly", Timeout: 5 * time.Minute, Run: untilEnd(u.RemindInvited)},
		{Name: "audit", Schedule: "@daily", Timeout: 30 * time.Minute, Run: untilEnd(u.PurgeAudit)},
		{Name: "reminders", Schedule: "@daily", Timeout: 5 * time.Minute, Run: untilEnd(u.RemindExpiry)},
	}
}

// untilEnd calls step while there is more. A deadline that comes first is no failure: the rest waits for the next run.
func untilEnd(step func(context.Context) (access.Progress, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		for turn := 0; ; turn++ {
			p, err := step(ctx)
			if turn > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil
			}
			// Done 0 and more to do would be a loop that never ends, and Odoo at full load meanwhile.
			if err != nil || !p.More || p.Done == 0 {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
	}
}

// retry is how long a job that has never succeeded waits before its next try.
const retry = 2 * time.Second

// Runner runs jobs until Stop.
type Runner struct {
	cron   *cron.Cron
	cancel context.CancelFunc
	first  sync.WaitGroup
}

// Start runs every job once at once, again until it has succeeded, and then on its schedule.
func Start(ctx context.Context, log zerolog.Logger, jobs ...Job) (*Runner, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Runner{cancel: cancel, cron: cron.New(
		cron.WithLocation(time.UTC),
		cron.WithChain(cron.Recover(logger{log}), cron.SkipIfStillRunning(logger{log})),
	)}
	for _, job := range jobs {
		run := func() { _ = runOnce(ctx, log, job) }
		if _, err := r.cron.AddFunc(job.Schedule, run); err != nil {
			cancel()
			return nil, fmt.Errorf("job %s: %w", job.Name, err)
		}
	}
	for _, job := range jobs {
		r.first.Go(func() { untilDone(ctx, log, job) })
	}
	r.cron.Start()
	return r, nil
}

// Stop ends the jobs: no new run starts, those under way are cancelled and waited for.
func (r *Runner) Stop() {
	r.cancel()
	<-r.cron.Stop().Done()
	r.first.Wait()
}

func untilDone(ctx context.Context, log zerolog.Logger, job Job) {
	for runOnce(ctx, log, job) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry):
		}
	}
}

// runOnce runs a job within its deadline and logs how it went.
func runOnce(ctx context.Context, log zerolog.Logger, job Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			log.Error().Str("job", job.Name).Interface("panic", p).Msg("job panicked")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	start := time.Now()
	err = job.Run(ctx)
	event := log.Debug()
	if err != nil && ctx.Err() != context.Canceled {
		event = log.Warn().Str("error", access.AsError(err).Error())
	}
	event.Str("job", job.Name).Dur("took", time.Since(start)).Msg("job ran")
	return err
}

// logger lets cron speak through zerolog.
type logger struct{ log zerolog.Logger }

func (l logger) Info(msg string, kv ...any) { l.log.Debug().Fields(kv).Msg(msg) }

func (l logger) Error(err error, msg string, kv ...any) { l.log.Error().Err(err).Fields(kv).Msg(msg) }
