package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	progressDelay  = 500 * time.Millisecond // how long work may take before a bar shows
	progressPeriod = 100 * time.Millisecond // between two drawings
	progressCells  = 20                     // of the bar
)

// progress is a bar on stderr for work that takes long; without a terminal it does nothing. Its
// methods may be called from several goroutines.
type progress struct {
	app   *app
	what  string
	start time.Time

	mu          sync.Mutex
	total, done int
	drawn       time.Time
	columns     int // that the last drawing took
}

// progress returns a bar for work that comes in total steps.
func (a *app) progress(what string, total int) *progress {
	return &progress{app: a, what: what, total: total, start: time.Now()}
}

// step counts one step done.
func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(p.done+1, p.total)
	p.show(time.Now())
}

// reach says how many steps are done by now.
func (p *progress) reach(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(done, p.total)
	p.show(time.Now())
}

// of says how many of how many steps are done, where the number becomes known on the way.
func (p *progress) of(done, total int) {
	p.mu.Lock()
	p.total = total
	p.mu.Unlock()
	p.reach(done)
}

func (p *progress) show(now time.Time) {
	if !p.app.Progress || p.done <= 0 || now.Sub(p.start) < progressDelay ||
		now.Sub(p.drawn) < progressPeriod {
		return
	}
	p.drawn = now
	full := progressCells * p.done / p.total
	left := time.Duration(float64(now.Sub(p.start)) * float64(p.total-p.done) / float64(p.done))
	p.draw(fmt.Sprintf("%s |%s%s| %d/%d, %s left", p.what, strings.Repeat("#", full),
		strings.Repeat(" ", progressCells-full), p.done, p.total, left.Round(time.Second)))
}

// draw puts a line in the place of the last one, which every terminal can do without escape
// sequences. A terminal that went away is no reason to stop.
func (p *progress) draw(line string) {
	fmt.Fprintf(p.app.Err, "\r%-*s\r%s", p.columns, "", line)
	p.columns = len(line)
}

// end removes the bar.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.columns > 0 {
		p.draw("")
	}
}

// steps is a bar for work whose number of steps only the work itself knows.
type steps struct {
	app  *app
	what string
	bar  *progress
}

func (a *app) steps(what string) *steps { return &steps{app: a, what: what} }

// begin shows the bar and returns what counts a step.
func (s *steps) begin(total int) func() {
	s.bar = s.app.progress(s.what, total)
	return s.bar.step
}

// end removes the bar, if there is one.
func (s *steps) end() {
	if s.bar != nil {
		s.bar.end()
	}
}
