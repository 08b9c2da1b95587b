package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// match takes the last part of a glob alone, which is enough here.
func match(glob, path string) bool {
	ok, err := filepath.Match(filepath.Base(glob), filepath.Base(path))
	return err == nil && ok
}

func tree(folder string) (fs.FS, error) { return os.DirFS(folder), nil }

// TestByNumber: names are in the order in which people count.
func TestByNumber(t *testing.T) {
	want := []string{"a", "a/1", "a/2", "a/02", "a/10.json", "a/10a", "a/b", "a10", "b", "b007x2", "b007x10"}
	got := slices.Clone(want)
	slices.Reverse(got)
	if slices.SortFunc(got, byNumber); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExpand(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.json", "b/c.json", "b/.git/d.json", "b/e.yaml"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for arg, want := range map[string][]string{
		"a.json":      {"a.json"},
		"nowhere":     {"nowhere"}, // for its reader to refuse
		"*.json":      {"a.json"},
		"**/*.json":   {"a.json", "b/c.json"}, // none of .git
		"b/*":         {"b/c.json", "b/e.yaml"},
		"b/**.yaml":   {"b/e.yaml"},
		"nowhere/*":   nil,
		"**/*.py":     nil,
		"b/c.jso[nN]": {"b/c.json"}, // a class of characters is a glob too
	} {
		got, err := Expand(arg, 10, match, tree)
		if want == nil && !errors.Is(err, ErrNoMatch) || want != nil && (err != nil || !slices.Equal(got, want)) {
			t.Errorf("%s: %q, %v; want %q", arg, got, err, want)
		}
	}
	if got, err := Expand("**/*", 1, match, tree); err != nil || len(got) != 2 {
		t.Errorf("a limit of 1 gives %q, %v", got, err)
	}
}

// A file is the old one or the whole new one; errors name it and not the temporary one.
func TestWriteFileIsAtomic(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, werr := io.WriteString(w, text)
			return errors.Join(werr, err)
		}
	}
	if err := WriteFile(name, write("old", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := WriteFile(name, write("half", broken)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if err := AppendFile(name, write(", more", nil)); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "old\n, more" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if files, err := os.ReadDir(filepath.Dir(name)); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
	var unwritable *WriteError
	missing := filepath.Join(filepath.Dir(name), "none", "x")
	for _, err := range []error{WriteFile(missing, write("", nil)), AppendFile(missing, write("", nil))} {
		if !errors.As(err, &unwritable) || unwritable.File != missing {
			t.Errorf("error %v", err)
		}
	}
}
