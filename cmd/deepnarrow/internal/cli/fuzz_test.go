package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// FuzzCommandLine counts any shape that a command line names: an answer or an error of the contract.
func FuzzCommandLine(f *testing.F) {
	f.Add("t5-base", "--batch=3")
	f.Add("t5-small/nl=16,dm=64", "--encoder-length=1e3")
	f.Add("\x1b[31m", "--format=\x00")
	f.Fuzz(func(t *testing.T, shape, flag string) {
		if !strings.HasPrefix(flag, "--") || strings.ContainsAny(shape, "/\\") && !strings.HasPrefix(shape, "t5") {
			return // what is not a flag would be a file
		}
		for _, reads := range []string{"output", "architectures"} {
			if strings.Contains(flag, reads) {
				return // those name files
			}
		}
		var out, err bytes.Buffer
		code := Run(context.Background(), []string{"count", shape, flag}, frame.Streams{
			In: strings.NewReader(""), Out: &out, Err: &err, Env: func(string) string { return "" },
		})
		if code == frame.ExitInternal || code != frame.ExitOK && err.Len() == 0 {
			t.Errorf("count %q %q: exit %d\n%s", shape, flag, code, err.String())
		}
	})
}
