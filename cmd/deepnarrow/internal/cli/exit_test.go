package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// run executes a command line in this process.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Run(context.Background(), args, Streams{In: strings.NewReader(stdin), Out: &out, Err: &err, Env: func(string) string { return "" }})
	return code, out.String(), err.String()
}

// TestExitCodes holds the codes of the command-line contract.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
	}{
		{"", exitOK},
		{"help", exitOK},
		{"version", exitOK},
		{"count t5-base", exitOK},
		{"count t5-base --help", exitOK},
		{"plan t5-xxl --hardware t4", exitOK}, // does not fit: an answer
		{"explain mfu", exitOK},
		{"list conventions", exitOK},
		{"frobnicate", exitUsage},
		{"count", exitUsage},
		{"count t5-base --nope", exitUsage},
		{"count t5-base --format html5", exitUsage},
		{"count t5-base --batch 1e400", exitUsage},
		{"count t5-base --batch 012", exitUsage},
		{"count t5-base --optimizer adamw2", exitUsage},
		{"count t5-base --convention tflops", exitUsage},
		{"plan t5-base", exitUsage},
		{"plan t5-base --hardware a100 --devices 3 --tp 2", exitUsage},
		{"plan t5-base --hardware a100 --goodput 0", exitUsage},
		{"plan t5-base --hardware a100 --zero 4", exitUsage},
		{"plan t5-base --hardware a100 --pue 0.5", exitUsage},
		{"plan t5-base --hardware a100 --tokens 1e300", exitUsage},
		{"plan t5-base --hardware a100 --max-cost $1e300", exitUsage},
		{"plan t5-base --hardware a100 --steps 0.5", exitUsage},
		{"recommend --like t5-base --tokens-per-param 0", exitUsage},
		{"completion", exitOK},
		{"completion bash", exitOK},
		{"completion tcsh", exitUsage},
		{"list shapes no-such-word", exitOK},
		{"count no-such-shape", exitInput},
		{"count t5-small/nl=0", exitInput},
		{"count missing/config.json", exitInput},
		{"plan t5-base --hardware no-such-device", exitInput},
		{"plan t5-base --hardware missing.yaml", exitInput},
		{"plan t5-base --hardware a100 --region atlantis", exitInput},
		{"count t5-base -o no/such/folder/out.json", exitInput},
		{"count t5-base -o .", exitInput},
		{"count t5-base -o /", exitInput},
		{"count t5-efficient-small-sh", exitNoAnswer},
	} {
		code, stdout, stderr := run(t, "", strings.Fields(c.line)...)
		if code != c.code {
			t.Errorf("deepnarrow %s: exit %d, want %d\n%s", c.line, code, c.code, stderr)
		}
		if code != exitOK && (stdout != "" || !strings.HasPrefix(stderr, "deepnarrow: ")) {
			t.Errorf("deepnarrow %s: stdout %q, stderr %q", c.line, stdout, stderr)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err bytes.Buffer
	a := &app{Streams: Streams{Out: &out, Err: &err}}
	if code := a.report(ctx, context.Canceled); code != exitInterrupted {
		t.Errorf("exit %d after an interrupt, want %d", code, exitInterrupted)
	}
}

// TestInternalError: a panic is reported as a bug, not as a stack alone.
func TestInternalError(t *testing.T) {
	var err bytes.Buffer
	code := Run(context.Background(), []string{"count", "t5-base"}, Streams{Out: panicking{}, Err: &err, Env: func(string) string { return "" }})
	if code != exitInternal || !strings.Contains(err.String(), "this is a bug") {
		t.Errorf("exit %d, stderr %q", code, err.String())
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("test") }

func TestExitCodesOfMeasuring(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
	}{
		{"train t5-tiny", exitUsage},
		{"train t5-tiny --text no-such-file", exitInput},
		{"train gpt2 --text exit_test.go", exitNoAnswer},
		{"train t5-tiny --text exit_test.go --resume", exitUsage},
		{"sweep --shapes t5-tiny --tokens 1k --text exit_test.go", exitUsage},
		{"sweep --shapes t5-tiny --tokens x --text exit_test.go --out nowhere", exitUsage},
		{"sweep --merge no-such-folder", exitInput},
		{"validate --from no-such-file", exitInput},
		{"validate --recommend exit_test.go", exitUsage},
		{"protocol --from no-such-shape", exitInput},
		{"recommend", exitUsage},
		{"recommend --max-params 1k", exitNoAnswer},
		{"recommend --like t5-base --fit no-such-file", exitInput},
	} {
		code, _, stderr := run(t, "", strings.Fields(c.line)...)
		if code != c.code {
			t.Errorf("deepnarrow %s: exit %d, want %d\n%s", c.line, code, c.code, stderr)
		}
	}
}
