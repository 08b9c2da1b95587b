package openfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// place makes a folder with a file, links and a folder in it, beside a file that is outside, and goes
// into it.
func place(t *testing.T) {
	t.Helper()
	outer := t.TempDir()
	inner := filepath.Join(outer, "inner")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(inner, "sub"), 0o755),
		os.WriteFile(filepath.Join(outer, "secret"), []byte("s3cret"), 0o644),
		os.WriteFile(filepath.Join(inner, "sub", "a"), []byte("a"), 0o644),
		os.Symlink(filepath.Join("sub", "a"), filepath.Join(inner, "in")),
		os.Symlink(filepath.Join("..", "secret"), filepath.Join(inner, "out")),
		os.Symlink(filepath.Join("..", "nothing"), filepath.Join(inner, "dangling")),
		os.Symlink(filepath.Join(outer, "secret"), filepath.Join(inner, "absolute")),
		os.Symlink("..", filepath.Join(inner, "up")),
		os.Symlink("loop", filepath.Join(inner, "loop")),
		os.MkdirAll(filepath.Join(inner, ".git", "hooks"), 0o755),
		os.WriteFile(filepath.Join(inner, ".git", "config"), []byte("s3cret"), 0o644),
		os.Symlink(filepath.Join(".git", "config"), filepath.Join(inner, "git")),
		os.Symlink(filepath.Join("..", ".git"), filepath.Join(inner, "sub", "git")),
	} {
		if err != nil {
			t.Skipf("no links can be made here: %v", err)
		}
	}
	t.Chdir(inner)
}

func TestRootKeepsInside(t *testing.T) {
	place(t)
	root, err := Within(".")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"sub/a": nil, "./sub/../sub/a": nil, "in": nil, filepath.Join(here, "in"): nil,
		"out": ErrOutside, "absolute": ErrOutside, "up/secret": ErrOutside, "../secret": ErrOutside,
		"up/inner/in": ErrOutside, "dangling": ErrOutside, filepath.Dir(here) + "/secret": ErrOutside,
		"nothing": fs.ErrNotExist, ".git/config": ErrOutside, ".GIT/none": ErrOutside, "git": ErrOutside,
		"sub/git/config": ErrOutside,
	} {
		file, err := root.Open(name)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: error %v, want %v", name, err, want)
		}
		if err == nil {
			file.Close()
		}
	}
	for _, name := range []string{"sub", "loop"} {
		if file, err := root.Open(name); err == nil {
			file.Close()
			t.Errorf("%s was opened", name)
		}
	}
	for name, want := range map[string]error{
		"sub/new": nil, "in": nil, "none/new": nil,
		"out": ErrOutside, "dangling": ErrOutside, "up/new": ErrOutside, "../new": ErrOutside,
		".git/hooks/new": ErrOutside, "sub/git/hooks/new": ErrOutside, "git": ErrOutside,
	} {
		if err := root.Writable(name); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("writing %s: error %v, want %v", name, err, want)
		}
	}
}

func TestNamedFollowsLinks(t *testing.T) {
	place(t)
	for _, name := range []string{"sub/a", "in", "out", "absolute", "up/secret"} {
		file, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file.Close()
	}
	if runtime.GOOS == "linux" {
		var kind irregular
		if _, err := Named("/dev/zero"); !errors.As(err, &kind) {
			t.Errorf("/dev/zero: error %v", err)
		}
	}
}

func TestFSListsInside(t *testing.T) {
	place(t)
	root, err := Within("..")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	folder, err := root.FS(".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	err = fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if name == ".git" {
			return fs.SkipDir
		}
		if err == nil && entry.Type().IsRegular() {
			found = append(found, name)
		}
		return err
	})
	if err != nil || len(found) != 1 || found[0] != "sub/a" {
		t.Errorf("found %q, %v; want sub/a", found, err)
	}
	if _, err := root.FS("../.."); !errors.Is(err, ErrOutside) {
		t.Errorf("the folder above: error %v", err)
	}
}

func TestInside(t *testing.T) {
	for _, c := range []struct {
		folder, name string
		want         bool
	}{
		{".", "a", true},
		{".", "a/b", true},
		{".", "..", false},
		{".", "../a", false},
		{".", "/a", false},
		{"..", "a", true},
		{"..", "../a", true},
		{"..", "../..", false},
		{"..", "../../a", false},
		{"../..", "../a", true},
		{"../..", "../../a", true},
		{"../..", "../../../a", false},
		{"a", "a/b", true},
		{"a", "ab", false},
		{"a", "a", false},
		{"a", "b", false},
		{"a/b", "a/c", false},
		{"../a", "../a/b", true},
		{"../a", "../b", false},
		{"../a", "b", false},
		{"/", "/a", true},
		{"/a", "/a/b", true},
		{"/a", "/ab", false},
		{"/a", "a", false},
	} {
		if got := Inside(c.folder, c.name); got != c.want {
			t.Errorf("%q in %q: %v, want %v", c.name, c.folder, got, c.want)
		}
	}
}
