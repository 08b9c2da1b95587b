package asks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
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
			a := &Files{App: &frame.App{
				Streams: frame.Streams{In: strings.NewReader(""), Env: func(string) string { return "" }},
				Opens:   openfile.Named,
			}}
			all, _, err := a.ListedShapes(file)
			if err == nil && len(all) == 0 {
				t.Error("no shape and no error")
			}
		}
	})
}
