package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"doorman/odoo/localodoo"
)

// args are the arguments of a tool.
type args = map[string]any

// job is one task of an office, scripted for each server: the calls that an AI tool would make that knows the server's
// tools and Odoo's names of models and fields.
type job struct {
	name string
	do   map[string]func(*clerk)
	// cannot says why a server has no script.
	cannot map[string]string
	// holds is a Python expression for what must be so in Odoo afterwards: a pair of what is and what is wanted. It knows
	// the server's tag, the script's answer, partner(name) and orders(name).
	holds string
}

// clerk does a job with one server's tools. After an error it does nothing more.
type clerk struct {
	ctx     context.Context // it lives for one job
	session *session
	tag     string

	calls, size, text int
	answer            any
	err               error
}

// call calls a tool and returns what it says, as data.
func (c *clerk) call(tool string, arguments args) any {
	if c.err != nil {
		return nil
	}
	c.calls++
	reply, err := c.session.callTool(c.ctx, tool, arguments)
	if err != nil {
		c.err = err
		return nil
	}
	c.size, c.text = c.size+reply.Size, c.text+reply.Text
	return reply.Value
}

// own is the name of a customer that only this server works on.
func (c *clerk) own(name string) string { return c.tag + " " + name }

// at goes down into data by keys and places; nil where that leads nowhere. A wrong way makes a job fail, not succeed: the
// next call gets no id, or the answer is not what Odoo says.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// jobResult is how a server did a job.
type jobResult struct {
	Job    string `json:"job"`
	Server string `json:"server"`
	Calls  int    `json:"calls"`
	Bytes  int    `json:"bytes"` // of results, as they came
	Text   int    `json:"text"`  // of the text in them
	Holds  bool   `json:"holds"`
	// Why it does not hold, or why it was not tried.
	Why   string `json:"why,omitempty"`
	Tried bool   `json:"tried"`
}

// office is the Odoo in which the jobs are done.
type office struct {
	host *localodoo.Host
	db   string
}

// doJobs lets every server do every job, on documents of its own, and asks Odoo after each what has become of them.
func doJobs(ctx context.Context, o office, rivals []*rival) (out []jobResult, err error) {
	say("Doing %d office jobs with each server ...", len(jobs))
	for _, j := range jobs {
		for _, r := range rivals {
			if err := r.open(ctx, 1); err != nil {
				return nil, err
			}
			result, err := o.do(ctx, j, r)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", j.name, r.name, err)
			}
			out = append(out, result)
		}
	}
	return out, nil
}

// do does one job. A server that fails is a result; an error is that Odoo could not be asked.
func (o office) do(ctx context.Context, j job, r *rival) (jobResult, error) {
	result := jobResult{Job: j.name, Server: r.name, Why: j.cannot[r.name]}
	script := j.do[r.name]
	if script == nil {
		return result, nil
	}
	result.Tried = true
	c := &clerk{ctx: ctx, session: r.sessions[0], tag: tags[r.name]}
	script(c)
	result.Calls, result.Bytes, result.Text = c.calls, c.size, c.text
	if c.err != nil {
		result.Why = c.err.Error()
		return result, ctx.Err()
	}
	var err error
	result.Holds, result.Why, err = o.holds(ctx, j.holds, c.tag, c.answer)
	return result, err
}

// holdsScript is what the expression of a job knows. Dates and the like become text, as they are in replies.
const holdsScript = `
import json, re
tag, answer = json.loads(%s)
user = env["res.users"].search([("login", "=", "bench")])
def partner(name):
    return env["res.partner"].search([("name", "=", f"{tag} {name}")])
def orders(name):
    return env["sale.order"].search([("partner_id", "=", partner(name).id)], order="id")
got, want = json.loads(json.dumps((%s), default=str))
print("HOLDS " + json.dumps([got == want, "" if got == want else f"{str(got)[:120]} instead of {str(want)[:120]}"]))
`

// holds asks Odoo whether a job was done.
func (o office) holds(ctx context.Context, expression, tag string, answer any) (held bool, why string, err error) {
	known, err := json.Marshal([]any{tag, answer})
	if err != nil {
		return false, "", err
	}
	literal, err := json.Marshal(string(known)) // a text in JSON is one in Python, too
	if err != nil {
		return false, "", err
	}
	out, err := o.host.Shell(ctx, o.db, fmt.Sprintf(holdsScript, literal, expression))
	if err != nil {
		return false, "", err
	}
	return readHolds(out)
}

// readHolds reads what the script printed. Nothing, or anything else, is an error: a job whose outcome nobody looked at
// has none.
func readHolds(out string) (held bool, why string, err error) {
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "HOLDS "); found {
			var pair [2]json.RawMessage
			if err = json.Unmarshal([]byte(text), &pair); err == nil {
				err = json.Unmarshal(pair[0], &held)
			}
			if err == nil {
				err = json.Unmarshal(pair[1], &why)
			}
			return held && err == nil, why, err
		}
	}
	return false, "", fmt.Errorf("Odoo did not say whether the job was done: %.300s", out)
}
