package host

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestProgress: nothing before the delay, one line instead of the other after it, and an empty
// line at the end. The expected lines follow from the injected times: a quarter in 3 s leaves 9 s,
// three quarters in 6 s leave 2 s.
func TestProgress(t *testing.T) {
	var text bytes.Buffer
	p := NewBar(&text, true, "fit")
	p.Begin(8)
	blank := "\r" + strings.Repeat(" ", len("fit |#####               | 2/8, 9s left")) + "\r"
	at := func(done int, after time.Duration) string {
		text.Reset()
		p.done = done
		p.show(p.start.Add(after))
		return text.String()
	}
	if got := at(1, progressDelay-1); got != "" {
		t.Errorf("before the delay: %q", got)
	}
	if got, want := at(2, 3*time.Second), "\r\rfit |#####               | 2/8, 9s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := at(3, 3*time.Second+progressPeriod-1); got != "" {
		t.Errorf("too soon again: %q", got)
	}
	if got, want := at(6, 6*time.Second), blank+"fit |###############     | 6/8, 2s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	text.Reset()
	p.End()
	if got, want := text.String(), blank; got != want {
		t.Errorf("at the end %q, want %q", got, want)
	}
	p.shown = false
	if got := at(8, 8*time.Second); got != "" {
		t.Errorf("without a terminal: %q", got)
	}
}
