package cli

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressDelay is how long work may take before a bar shows.
const progressDelay = 500 * time.Millisecond

// progress is a bar on stderr for work that takes long; without a terminal it
// does nothing. Its methods may be called from several goroutines.
type progress struct {
	app   *app
	what  string
	start time.Time

	mu          sync.Mutex
	total, done int
	bar         *progressbar.ProgressBar
}

// progress returns a bar for work that comes in total steps.
func (a *app) progress(what string, total int) *progress {
	return &progress{app: a, what: what, total: total, start: time.Now()}
}

// step counts one step done.
func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.show()
}

// reach says how many steps are done by now.
func (p *progress) reach(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(done, p.total)
	p.show()
}

func (p *progress) show() {
	if !p.app.Progress {
		return
	}
	if p.bar == nil {
		if time.Since(p.start) < progressDelay {
			return
		}
		p.bar = progressbar.NewOptions(p.total,
			progressbar.OptionSetWriter(p.app.Err), progressbar.OptionSetDescription(p.what),
			progressbar.OptionThrottle(progressDelay/5), progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
	}
	_ = p.bar.Set(p.done) // a terminal that went away is no reason to stop
}

// end removes the bar.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
