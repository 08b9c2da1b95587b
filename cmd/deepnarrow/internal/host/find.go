package host

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Repository returns the root of the repository that the working directory is in, as a path relative
// to it; "." where there is none.
func Repository() (root string, found bool) {
	home, err := os.Getwd()
	if err != nil {
		return ".", false
	}
	for root = "."; ; root, home = filepath.Join("..", root), filepath.Dir(home) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			return root, true
		}
		if home == filepath.Dir(home) {
			return ".", false
		}
	}
}

// InRepository returns the path of a file from the root of the repository that it is in; as it is
// where there is none, and for what names no file.
func InRepository(file string) string {
	path, err := filepath.Abs(filepath.FromSlash(file))
	if err != nil {
		return file
	}
	if _, err := os.Lstat(path); err != nil {
		return file
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, ".git")); err == nil {
			rel, err := filepath.Rel(folder, path)
			if err != nil {
				return file
			}
			return filepath.ToSlash(rel)
		}
		if folder == filepath.Dir(folder) {
			return file
		}
	}
}

// ErrNoMatch is the error of a glob that matches no file.
var ErrNoMatch = errors.New("matches no file")

// Expand returns the files that an argument names, a path or a glob in which ** is any number of
// folders, in the order of their names; it stops beyond the given number. match tells whether a path
// with slashes matches a glob; a glob without folders means the working directory. tree opens a
// folder. Errors: [ErrNoMatch], or that of a folder.
func Expand(arg string, most int, match func(glob, path string) bool,
	tree func(folder string) (fs.FS, error),
) ([]string, error) {
	if _, err := os.Lstat(arg); err == nil || !strings.ContainsAny(arg, "*?[") {
		return []string{arg}, nil
	}
	glob := filepath.ToSlash(arg)
	fixed, _, _ := strings.Cut(glob[:strings.IndexAny(glob, "*?[")], "\x00")
	start := "."
	if i := strings.LastIndexByte(fixed, '/'); i >= 0 {
		start = filepath.FromSlash(glob[:max(i, 1)])
	}
	if !strings.Contains(glob, "/") {
		glob = "./" + glob
	}
	matches := func(path string) bool {
		if rest, ok := strings.CutPrefix(glob, "./"); ok && !strings.Contains(rest, "/") {
			return !strings.Contains(path, "/") && match(rest, path)
		}
		return match(glob, path)
	}
	folder, err := tree(start)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoMatch
	}
	if err != nil {
		return nil, err
	}
	var out []string
	err = fs.WalkDir(folder, ".", func(at string, entry fs.DirEntry, err error) error {
		path := filepath.Join(start, filepath.FromSlash(at))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir() && strings.EqualFold(entry.Name(), ".git"):
			return fs.SkipDir
		case !entry.IsDir() && matches(filepath.ToSlash(path)):
			out = append(out, path)
		}
		if len(out) > most {
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = ErrNoMatch
	}
	slices.SortStableFunc(out, byNumber)
	return out, err
}

// byNumber compares names as people order them: digits by the number that they are, a2 before a10.
func byNumber(a, b string) int {
	digits := func(s string) int {
		n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if n < 0 {
			n = len(s)
		}
		return n
	}
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m == 0 || n == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[m:], b[n:]
	}
	return cmp.Compare(len(a), len(b))
}
