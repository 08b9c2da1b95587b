package page

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzWrite shows any result, whole or damaged: a page or an error, and never a page that a name
// breaks out of.
func FuzzWrite(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal("no results to begin with", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sources := []Source{{Name: "a.json", Text: text}}
		_ = Write(io.Discard, Head{Title: "title"}, sources)
	})
}
