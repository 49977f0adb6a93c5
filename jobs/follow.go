package jobs

import (
	"fmt"
	"regexp"
	"time"

	"doorman/server/access"
)

// What a job may ask for. The addon keeps to the same (gateway/run_job.py); what is beyond is a fault there, and would keep
// Odoo busy, or its workers from ever being free.
const (
	minEvery   = time.Second
	maxEvery   = 7 * 24 * time.Hour
	minTimeout = time.Second
	maxTimeout = time.Hour
	maxJobs    = 50
)

// jobName is also what a metric's label may be.
var jobName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// wrong says why a job cannot be run; "" = it can.
func wrong(j access.Job) string {
	switch {
	case !jobName.MatchString(j.Name):
		return "its name is not of the form fold_use"
	case j.Every < minEvery || j.Every > maxEvery:
		return fmt.Sprintf("its period of %s is not between %s and %s", j.Every, minEvery, maxEvery)
	case j.Timeout < minTimeout || j.Timeout > maxTimeout:
		return fmt.Sprintf("its time limit of %s is not between %s and %s", j.Timeout, minTimeout, maxTimeout)
	}
	return ""
}

// Follow makes list, as Odoo's hello gives it, what runs besides the service's own jobs. It may be called any number of
// times after Start: a job that is new runs at once, one that changed keeps its rhythm, one that is gone, or out of bounds, runs no
// more. What is refused is logged once.
func (r *Runner) Follow(list []access.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	listed := map[string]bool{}
	for _, spec := range list {
		why := wrong(spec)
		switch {
		case why == "" && listed[spec.Name]:
			why = "it is listed twice"
		case why == "" && len(listed) == maxJobs:
			why = fmt.Sprintf("there are more than %d", maxJobs)
		}
		if why != "" {
			r.refuse(spec, why)
			continue
		}
		listed[spec.Name] = true
		r.follow(spec)
	}
	for name, e := range r.followed {
		if e.id != 0 && !listed[name] {
			r.cron.Remove(e.id)
			e.id = 0
			r.log.Info().Str("job", name).Msg("job is no longer listed by Odoo")
		}
	}
	if len(listed) == 0 && !r.warned {
		r.log.Warn().Msg("Odoo lists no jobs: nothing is counted, ended, reminded of or cleaned up")
	}
	r.warned = len(listed) == 0
}

// follow puts one job on the clock, unless it is there as it is. r.mu is held.
func (r *Runner) follow(spec access.Job) {
	e := r.followed[spec.Name]
	switch {
	case e == nil:
		e = &entry{from: time.Now()}
		r.followed[spec.Name] = e
	case e.id != 0 && e.job.Every == spec.Every && e.job.Timeout == spec.Timeout:
		return
	case e.id != 0:
		r.log.Info().Str("job", spec.Name).Dur("every", spec.Every).Dur("timeout", spec.Timeout).Msg("job changed")
	}
	r.put(e, upkeep(r.upkeep, spec))
}

// refuse logs a job that is not run; the same one not at every heartbeat. r.mu is held.
func (r *Runner) refuse(spec access.Job, why string) {
	if last, known := r.refused[spec.Name]; known && last == spec {
		return
	}
	if len(r.refused) >= maxJobs {
		clear(r.refused) // names without end must not fill the memory
	}
	r.refused[spec.Name] = spec
	r.log.Warn().Str("job", spec.Name).Str("why", why).Msg("job listed by Odoo is refused")
}
