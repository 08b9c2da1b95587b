package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// run executes a command line in this process.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Run(context.Background(), args, frame.Streams{In: strings.NewReader(stdin), Out: &out, Err: &err, Env: func(string) string { return "" }})
	return code, out.String(), err.String()
}

// TestExitCodes holds the codes of the command-line contract.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
	}{
		{"", frame.ExitOK},
		{"help", frame.ExitOK},
		{"version", frame.ExitOK},
		{"count t5-base", frame.ExitOK},
		{"count t5-base --help", frame.ExitOK},
		{"plan t5-xxl --hardware t4", frame.ExitOK}, // does not fit: an answer
		{"explain mfu", frame.ExitOK},
		{"list conventions", frame.ExitOK},
		{"frobnicate", frame.ExitUsage},
		{"count", frame.ExitUsage},
		{"count t5-base --nope", frame.ExitUsage},
		{"count t5-base --format html5", frame.ExitUsage},
		{"count t5-base --batch 1e400", frame.ExitUsage},
		{"count t5-base --batch 012", frame.ExitUsage},
		{"count t5-base --optimizer adamw2", frame.ExitUsage},
		{"count t5-base --convention tflops", frame.ExitUsage},
		{"plan t5-base", frame.ExitUsage},
		{"plan t5-base --hardware a100 --devices 3 --tp 2", frame.ExitUsage},
		{"plan t5-base --hardware a100 --goodput 0", frame.ExitUsage},
		{"plan t5-base --hardware a100 --zero 4", frame.ExitUsage},
		{"plan t5-base --hardware a100 --pue 0.5", frame.ExitUsage},
		{"plan t5-base --hardware a100 --tokens 1e300", frame.ExitUsage},
		{"plan t5-base --hardware a100 --max-cost $1e300", frame.ExitUsage},
		{"plan t5-base --hardware a100 --steps 0.5", frame.ExitUsage},
		{"recommend --like t5-base --tokens-per-param 0", frame.ExitUsage},
		{"completion", frame.ExitOK},
		{"completion bash", frame.ExitOK},
		{"completion tcsh", frame.ExitUsage},
		{"list shapes no-such-word", frame.ExitOK},
		{"count no-such-shape", frame.ExitInput},
		{"count t5-small/nl=0", frame.ExitInput},
		{"count missing/config.json", frame.ExitInput},
		{"plan t5-base --hardware no-such-device", frame.ExitInput},
		{"plan t5-base --hardware missing.yaml", frame.ExitInput},
		{"plan t5-base --hardware a100 --region atlantis", frame.ExitInput},
		{"count t5-base -o no/such/folder/out.json", frame.ExitInput},
		{"count t5-base -o .", frame.ExitInput},
		{"count t5-base -o /", frame.ExitInput},
		{"count t5-efficient-small-sh", frame.ExitNoAnswer},
	} {
		code, stdout, stderr := run(t, "", strings.Fields(c.line)...)
		if code != c.code {
			t.Errorf("deepnarrow %s: exit %d, want %d\n%s", c.line, code, c.code, stderr)
		}
		if code != frame.ExitOK && (stdout != "" || !strings.HasPrefix(stderr, "deepnarrow: ")) {
			t.Errorf("deepnarrow %s: stdout %q, stderr %q", c.line, stdout, stderr)
		}
	}
}

// TestInternalError: a panic is reported as a bug, not as a stack alone.
func TestInternalError(t *testing.T) {
	var err bytes.Buffer
	code := Run(context.Background(), []string{"count", "t5-base"}, frame.Streams{Out: panicking{}, Err: &err, Env: func(string) string { return "" }})
	if code != frame.ExitInternal || !strings.Contains(err.String(), "this is a bug") {
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
		{"train t5-tiny", frame.ExitUsage},
		{"train t5-tiny --text no-such-file", frame.ExitInput},
		{"train gpt2 --text exit_test.go", frame.ExitNoAnswer},
		{"train t5-tiny --text exit_test.go --resume", frame.ExitUsage},
		{"sweep --shapes t5-tiny --tokens 1k --text exit_test.go", frame.ExitUsage},
		{"sweep --shapes t5-tiny --tokens x --text exit_test.go --out nowhere", frame.ExitUsage},
		{"sweep --merge no-such-folder", frame.ExitInput},
		{"validate --from no-such-file", frame.ExitInput},
		{"validate --recommend exit_test.go", frame.ExitUsage},
		{"protocol --from no-such-shape", frame.ExitInput},
		{"recommend", frame.ExitUsage},
		{"recommend --max-params 1k", frame.ExitNoAnswer},
		{"recommend --like t5-base --fit no-such-file", frame.ExitInput},
	} {
		code, _, stderr := run(t, "", strings.Fields(c.line)...)
		if code != c.code {
			t.Errorf("deepnarrow %s: exit %d, want %d\n%s", c.line, code, c.code, stderr)
		}
	}
}
