package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/openfile"
)

// FuzzCandidates reads lists of shapes, as lines and as a table: shapes or an error with its exit
// code, and never the file's name as a shape.
func FuzzCandidates(f *testing.F) {
	f.Add([]byte("t5-base\nt5-small/nl=16 # deep\n\n"))
	f.Add([]byte("shape,params\nt5-base,1\nt5-none,\n"))
	f.Add([]byte("../../etc/passwd\n/dev/zero\n-\n"))
	f.Add([]byte("\xff\xfet\x005\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"list.txt", "list.csv"} {
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			a := &app{
				Streams: Streams{In: strings.NewReader(""), Env: func(string) string { return "" }},
				opens:   openfile.Named,
			}
			all, _, err := a.listedShapes(file)
			if err == nil && len(all) == 0 {
				t.Error("no shape and no error")
			}
		}
	})
}

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
		code := Run(context.Background(), []string{"count", shape, flag}, Streams{
			In: strings.NewReader(""), Out: &out, Err: &err, Env: func(string) string { return "" },
		})
		if code == exitInternal || code != exitOK && err.Len() == 0 {
			t.Errorf("count %q %q: exit %d\n%s", shape, flag, code, err.String())
		}
	})
}
