package check

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReadBaseline: what is read is written and read again as the same.
func FuzzReadBaseline(f *testing.F) {
	f.Add([]byte(`{"schema":"deepnarrow/baseline/v1","results":{"a.json":{"params":5,"memory":1e300}}}`))
	f.Add([]byte(`{"schema":"deepnarrow/baseline/v1","results":{"a":null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ReadBaseline("b.json", bytes.NewReader(text))
		if err != nil || !utf8.Valid(text) {
			return
		}
		var first, second bytes.Buffer
		if err := b.Write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := ReadBaseline("b.json", bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Write(&second); err != nil || first.String() != second.String() {
			t.Errorf("%s became %s, error %v", first.String(), second.String(), err)
		}
	})
}

// FuzzMatch: every name matches itself where it holds nothing of a glob, ** matches everything, and
// no glob takes long.
func FuzzMatch(f *testing.F) {
	f.Add("configs/**/*.json", "configs/a/b.json")
	f.Add("**/**/**/**/a*a*a*a*b", "a/a/a/a/aaaaaaaaaaaa")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, glob, name string) {
		const longest = 1 << 10 // of a path
		if len(glob) > longest || len(name) > longest {
			return
		}
		_ = Match(glob, name)
		if !strings.ContainsAny(name, `*?[\`) && !Match(name, name) {
			t.Errorf("%q does not match itself", name)
		}
		if !Match("**", name) {
			t.Errorf("** does not match %q", name)
		}
	})
}
