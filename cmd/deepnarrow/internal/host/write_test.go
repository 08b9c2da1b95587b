package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// text writes a text.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// holds fails unless a file holds a text and its folder nothing besides the files named.
func holds(t *testing.T, name, want string, files ...string) {
	t.Helper()
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q; error %v", name, got, want, err)
	}
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(files) > 0 && strings.Join(names, " ") != strings.Join(files, " ") {
		t.Errorf("the folder holds %v, want %v", names, files)
	}
}

// An error of the writer leaves the old file and nothing else, and so does a file that became
// unwritable.
func TestWriteFileKeepsTheOldFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.json")
	for _, want := range []string{"old", "new"} {
		if err := WriteFile(name, text(want)); err != nil {
			t.Fatal(err)
		}
		holds(t, name, want, "x.json")
	}
	broken := errors.New("broken")
	if err := WriteFile(name, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	holds(t, name, "new", "x.json")
}

// What a kill left under a hidden name is swept by the next write of that file alone.
func TestWriteFileSweepsWhatAKillLeft(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{".x.json.0123abcd.deepnarrow", ".y.json.0123abcd.deepnarrow"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(folder, "x.json")
	if err := WriteFile(name, text("new")); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "new", ".y.json.0123abcd.deepnarrow", "x.json")
}

func TestWritableSaysWhatWriteFileWould(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		folder, folder + "/", filepath.Join(folder, "none", "x"), filepath.Join(file, "x"), "",
	} {
		var first, then *WriteError
		if err := Writable(name); !errors.As(err, &first) {
			t.Errorf("%s: error %v before", name, err)
		}
		if err := WriteFile(name, text("")); !errors.As(err, &then) || first == nil ||
			first.Error() != then.Error() {
			t.Errorf("%s: error %v then, %v before", name, err, first)
		}
	}
	for _, name := range []string{file, filepath.Join(folder, "new")} {
		if err := Writable(name); err != nil {
			t.Error(err)
		}
	}
	holds(t, file, "old", "file")
	for name, ok := range map[string]bool{folder: true, filepath.Join(folder, "a", "b"): true, file: false} {
		if err := WritableFolder(name); (err == nil) != ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A torn last line is cut off, a whole one ended, and text that is none of JSON lines kept.
func TestAppendFileMends(t *testing.T) {
	for was, want := range map[string]string{
		"":                             "{}\n",
		"{\"a\":1}\n":                  "{\"a\":1}\n{}\n",
		"{\"a\":1}\n{\"b\":2}":         "{\"a\":1}\n{\"b\":2}\n{}\n",
		"{\"a\":1}\n{\"b\":":           "{\"a\":1}\n{}\n",
		"{\"a\":1}\n\x00\x00\x00":      "{\"a\":1}\n{}\n",
		"{\"torn":                      "{}\n",
		"some notes without their end": "some notes without their end\n{}\n",
	} {
		name := filepath.Join(t.TempDir(), "runs.jsonl")
		if err := os.WriteFile(name, []byte(was), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := AppendFile(name, text("{}\n")); err != nil {
			t.Fatal(err)
		}
		holds(t, name, want, "runs.jsonl")
	}
	name := filepath.Join(t.TempDir(), "runs.jsonl")
	if _, err := Appendable(name); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a look made the file: %v", err)
	}
	if err := os.WriteFile(name, []byte("{}\n{\"torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if removed, err := Appendable(name); err != nil || removed != len(`{"torn`) {
		t.Errorf("removed %d bytes, error %v", removed, err)
	}
	holds(t, name, "{}\n", "runs.jsonl")
}
