package frame

import (
	"bytes"
	"context"
	"testing"
)

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err bytes.Buffer
	a := &App{Streams: Streams{Out: &out, Err: &err}}
	if code := a.report(ctx, context.Canceled); code != ExitInterrupted {
		t.Errorf("exit %d after an interrupt, want %d", code, ExitInterrupted)
	}
}
