//go:build unix

package openfile

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipesAndSocketsAreRefused, at once: a pipe that nobody writes would be waited for.
func TestPipesAndSocketsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Skipf("no named pipe can be made here: %v", err)
	}
	names := []string{"pipe"}
	if l, err := net.Listen("unix", "socket"); err == nil {
		defer l.Close()
		names = append(names, "socket")
	}
	root, err := Within(".")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := root.FS(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		_, named := Named(name)
		_, rooted := root.Open(name)
		_, listed := tree.Open(filepath.ToSlash(name))
		for _, err := range []error{named, rooted, listed} {
			var kind irregular
			if !errors.As(err, &kind) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
}
