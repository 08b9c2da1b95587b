package cli

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// hostileTexts are names and values that would steer a terminal, a runner of workflows, a spreadsheet
// or markdown.
var hostileTexts = []string{
	"\x1b]0;x\a", "a\n::error::x", "::add-mask::x", "a ##[error]x", "a\r##vso[task.x]y", "=cmd", "[a](http://x.test)",
	"@team", "\u2028::x", "\u009b31m\u202e", "./a\n::error::x.json", "./\x1b[31m.yaml", "./##[x].csv", "./a\n::x/*.json",
}

// steering is what no message may hold.
var steering = regexp.MustCompile(`(?m:^\s*::)|##[A-Za-z]*\[|[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{2028}-\x{202e}]`)

// enough are arguments with which a command comes as far as to look at one more flag, and no further:
// what it would read is not there.
var enough = map[string]string{
	"count": "t5-small", "plan": "t5-small --hardware a100", "recommend": "--like none.json", "diff": "t5-small t5-base",
	"check": "t5-small", "export": "t5-small", "list": "shapes", "explain": "mfu", "fit": "none.csv", "isoflop": "none.csv",
	"envelope": "none.csv", "transfer": "none.csv", "track": "none.json --run none.csv", "report": "none.json",
	"train": "t5-tiny --text none", "sweep": "--text none", "calibrate": "--from none.csv --hardware a100",
	"validate": "--from none.csv", "protocol": "--records none.csv", "tables": "--none",
}

// TestErrorsAreHarmless gives every flag and argument of every command each of the texts.
func TestErrorsAreHarmless(t *testing.T) {
	t.Chdir(t.TempDir())
	var lines [][]string
	for _, c := range Command().Commands() {
		if slices.Contains([]string{"completion", "help"}, c.Name()) {
			continue
		}
		base := append([]string{c.Name()}, strings.Fields(enough[c.Name()])...)
		for i, text := range hostileTexts {
			lines = append(lines, append(slices.Clone(base), text),
				append(slices.Clone(base), "--"+text))
			n := i
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if n++; n%4 != 0 || testing.Short() && n%3 != 0 { // each flag has a quarter of the texts
					return
				}
				if f.NoOptDefVal == "" && f.Name != "output" && f.Name != "out" { // which may write a file
					lines = append(lines, append(slices.Clone(base), "--"+f.Name+"="+text))
				}
			})
		}
	}
	for _, text := range hostileTexts {
		lines = append(lines, []string{text}, []string{"help", text}, []string{"--" + text})
	}
	for _, line := range lines {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		var out, err bytes.Buffer
		code := Run(ctx, line, frame.Streams{
			In: strings.NewReader(""), Out: &out, Err: &err, Env: func(string) string { return "" },
		})
		cancel()
		if code == frame.ExitInternal || code == frame.ExitInterrupted {
			t.Errorf("%q: exit %d: %s", line, code, err.String())
		}
		for _, said := range []string{out.String(), err.String()} {
			if at := steering.FindString(said); at != "" {
				t.Errorf("%q: %q in %q", line, at, said)
			}
		}
	}
	t.Logf("%d command lines", len(lines))
}
