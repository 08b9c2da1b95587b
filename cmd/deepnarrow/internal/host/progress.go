package host

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	progressDelay  = 500 * time.Millisecond // how long work may take before a bar shows
	progressPeriod = 100 * time.Millisecond // between two drawings
	progressCells  = 20                     // of the bar
)

// Bar shows the progress of work that takes long. Its methods may be called from several goroutines.
type Bar struct {
	out   io.Writer
	shown bool
	what  string
	start time.Time

	mu          sync.Mutex
	total, done int
	drawn       time.Time
	columns     int // that the last drawing took
}

// NewBar returns a bar on a terminal; where there is none it is not shown.
func NewBar(out io.Writer, shown bool, what string) *Bar {
	return &Bar{out: out, shown: shown, what: what, start: time.Now()}
}

// Begin tells how many steps the work has, and returns what is called after each.
func (p *Bar) Begin(total int) (step func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.start = total, time.Now()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done = min(p.done+1, p.total)
		p.show(time.Now())
	}
}

// Reach says how many of how many steps are done.
func (p *Bar) Reach(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.done = total, min(done, total)
	p.show(time.Now())
}

func (p *Bar) show(now time.Time) {
	if !p.shown || p.done <= 0 || now.Sub(p.start) < progressDelay ||
		now.Sub(p.drawn) < progressPeriod {
		return
	}
	p.drawn = now
	full := progressCells * p.done / p.total
	left := time.Duration(float64(now.Sub(p.start)) * float64(p.total-p.done) / float64(p.done))
	p.draw(fmt.Sprintf("%s |%s%s| %d/%d, %s left", p.what, strings.Repeat("#", full),
		strings.Repeat(" ", progressCells-full), p.done, p.total, left.Round(time.Second)))
}

// draw replaces the last line, which every terminal can do without escape
// sequences. A closed terminal must not stop the work.
func (p *Bar) draw(line string) {
	fmt.Fprintf(p.out, "\r%-*s\r%s", p.columns, "", line)
	p.columns = len(line)
}

// End removes the bar.
func (p *Bar) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.columns > 0 {
		p.draw("")
	}
}
