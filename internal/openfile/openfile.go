// Package openfile opens files for reading, by who named them. What the user named is trusted: links
// are followed. What a file named stays inside a folder, whatever links lie in it, and out of git's own
// files there, which may hold a token. Both refuse what is not a regular file without waiting for it.
package openfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// ErrOutside is the cause of refusing a name or a link that leaves the folder.
var ErrOutside = errors.New("leads out of the folder that it must stay in")

// errGit is an [ErrOutside].
var errGit = fmt.Errorf("%w: into %s", ErrOutside, gitFolder)

// gitFolder holds git's own files: they are no part of what a repository shares.
const gitFolder = ".git"

// An irregular error says what a file is that is not a regular one.
type irregular fs.FileMode

func (i irregular) Error() string {
	what := "a device"
	switch mode := fs.FileMode(i); {
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return "is " + what + "; allowed: a regular file, or - for standard input where a command takes it"
}

// descriptor is what a shell passes for <(command), and standard input by its name.
var descriptor = regexp.MustCompile(`^(/dev|/proc/self|/proc/[0-9]+)/(fd/[0-9]+|stdin)$`)

// Named opens a file that the user named. Links are followed; a descriptor that a shell passes, such
// as /dev/fd/63, may be a pipe. The error is a [*fs.PathError].
func Named(name string) (*os.File, error) {
	if descriptor.MatchString(name) {
		return os.Open(name)
	}
	return regular(name, func() (fs.FileInfo, error) { return os.Stat(name) },
		func() (*os.File, error) { return os.OpenFile(name, os.O_RDONLY|nonblock, 0) })
}

// regular opens what is a regular file before and after it is opened.
func regular(name string, stat func() (fs.FileInfo, error), open func() (*os.File, error)) (*os.File, error) {
	info, err := stat()
	if err == nil {
		err = kind(info.Mode())
	}
	if err != nil {
		return nil, pathError(name, err)
	}
	file, err := open()
	if err != nil {
		return nil, pathError(name, err)
	}
	if info, err = file.Stat(); err == nil {
		err = kind(info.Mode())
	}
	if err != nil {
		file.Close()
		return nil, pathError(name, err)
	}
	return file, nil
}

func kind(mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return syscall.EISDIR
	case !mode.IsRegular():
		return irregular(mode)
	}
	return nil
}

// pathError names the file as the caller called it.
func pathError(name string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}

// Root is a folder that the names in files may not leave.
type Root struct {
	folder string // absolute
	real   string // links resolved
	root   *os.Root
}

// Within returns a folder as a root. The folder itself may be a link.
func Within(folder string) (*Root, error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, pathError(folder, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		root.Close()
		return nil, pathError(folder, err)
	}
	return &Root{abs, real, root}, nil
}

// Close ends the use of the root; files that it opened stay open.
func (r *Root) Close() error { return r.root.Close() }

// Open opens a regular file in the folder; the name is absolute or relative to the working directory.
// The error is a [*fs.PathError], of [ErrOutside] where the name or a link on the way leaves the
// folder; a link with an absolute target does, and one into .git.
func (r *Root) Open(name string) (*os.File, error) {
	at, err := r.inside(name)
	if err != nil {
		return nil, err
	}
	return regular(name, func() (fs.FileInfo, error) { return r.stat(at) },
		func() (*os.File, error) { return r.open(at) })
}

// Writable returns nil where a file in the folder can be written by its name and stays in the folder:
// neither it nor a folder on the way is a link out. The error is that of [Root.Open].
func (r *Root) Writable(name string) error {
	at, err := r.inside(name)
	if err != nil {
		return err
	}
	if _, err = r.stat(at); errors.Is(err, fs.ErrNotExist) {
		var info fs.FileInfo
		if info, err = r.root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			err = ErrOutside // a link to nothing would be written through
		} else if _, err = r.stat(filepath.Dir(at)); errors.Is(err, fs.ErrNotExist) {
			err = nil // for the writer to say
		}
	}
	if err != nil {
		return pathError(name, err)
	}
	return nil
}

// inside returns a name relative to the folder.
func (r *Root) inside(name string) (string, error) {
	abs, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	at, err := filepath.Rel(r.folder, abs)
	if err != nil || !filepath.IsLocal(at) {
		return "", pathError(name, ErrOutside)
	}
	if intoGit(at) {
		return "", pathError(name, errGit)
	}
	return at, nil
}

// intoGit says whether a path goes through a folder of git, however its letters are written: some
// file systems do not tell .GIT from .git.
func intoGit(at string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(at), "/"), func(part string) bool {
		return strings.EqualFold(part, gitFolder)
	})
}

func (r *Root) stat(at string) (fs.FileInfo, error) {
	info, err := r.root.Stat(at)
	if err != nil {
		return nil, escaped(err)
	}
	real, err := filepath.EvalSymlinks(filepath.Join(r.folder, at))
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(r.real, real); err != nil || intoGit(rel) {
		return nil, errGit
	}
	return info, nil
}

func (r *Root) open(at string) (*os.File, error) {
	file, err := r.root.OpenFile(at, os.O_RDONLY|nonblock, 0)
	return file, escaped(err)
}

// escaped tells the error of package os for a path that escapes, which has no name of its own, from
// those of the system.
func escaped(err error) error {
	var path *fs.PathError
	var system syscall.Errno
	if errors.As(err, &path) && !errors.As(err, &system) && !errors.Is(err, fs.ErrNotExist) {
		return ErrOutside
	}
	return err
}

// FS returns the folder, or one in it, as a file system: regular files and folders.
func (r *Root) FS(folder string) (fs.FS, error) {
	at, err := r.inside(folder)
	if err != nil {
		return nil, err
	}
	return fs.Sub(tree{r}, filepath.ToSlash(at))
}

type tree struct{ root *Root }

// Open makes tree an [fs.FS].
func (t tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, pathError(name, fs.ErrInvalid)
	}
	at := filepath.FromSlash(name)
	info, err := t.root.stat(at)
	if err == nil && !info.IsDir() {
		err = kind(info.Mode())
	}
	if err != nil {
		return nil, pathError(name, err)
	}
	file, err := t.root.open(at)
	if err != nil {
		return nil, pathError(name, err)
	}
	return file, nil
}

// Inside reports by their text whether a path lies in a folder; both are clean, with slashes, and of
// one kind: absolute, or relative to the same place.
func Inside(folder, name string) bool {
	if path.IsAbs(folder) != path.IsAbs(name) {
		return false
	}
	of, in := parts(folder), parts(name)
	for len(of) > 0 && len(in) > 0 && of[0] == in[0] {
		of, in = of[1:], in[1:]
	}
	// a folder that goes further up holds whatever goes up less
	up := !slices.ContainsFunc(of, func(part string) bool { return part != ".." })
	return up && (len(in) == 0 && len(of) > 0 || len(in) > 0 && in[0] != "..")
}

func parts(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(part string) bool {
		return part == "" || part == "."
	})
}
