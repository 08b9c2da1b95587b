//go:build unix

package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWriteFileKeepsWhatIsNoFile writes into a pipe of its own: -o must not put a file in its
// place, as it would in that of /dev/null.
func TestWriteFileKeepsWhatIsNoFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skipf("no named pipe can be made here: %v", err)
	}
	read := make(chan string)
	go func() {
		text, _ := os.ReadFile(name)
		read <- string(text)
	}()
	const text = "a result"
	if err := WriteFile(name, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(name); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe was replaced: %v, %v", info, err)
	}
	if got := <-read; got != text {
		t.Errorf("the pipe received %q, want %q", got, text)
	}
}

// TestWriteFileFollowsLinks: a link stays, and what it leads to is written, missing or not.
func TestWriteFileFollowsLinks(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for link, to := range map[string]string{
		"one": "file", "two": "one", "missing": "new", "loop": "loop",
	} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(at("file"), []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	for link, file := range map[string]string{"two": "file", "missing": "new"} {
		if err := WriteFile(at(link), text("new")); err != nil {
			t.Fatal(err)
		}
		holds(t, at(file), "new")
		if info, err := os.Lstat(at(link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link %s was replaced: %v, %v", link, info, err)
		}
	}
	if err := WriteFile(at("loop"), text("new")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("error %v, want that of a loop", err)
	}
}

// TestWriteFileKeepsModes: those of the old file, or what the umask leaves.
func TestWriteFileKeepsModes(t *testing.T) {
	was := syscall.Umask(0o027)
	defer syscall.Umask(was)
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"private": 0o600, "open": 0o666, "new": 0} {
		file, want := filepath.Join(folder, name), os.FileMode(0o640)
		if mode != 0 {
			want = mode
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(file, mode)); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteFile(file, text("new")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v; error %v", name, info.Mode(), want, err)
		}
	}
}

// TestWriteFileWritesToDescriptors: at their place, by every path that leads to them, and without
// closing them.
func TestWriteFileWritesToDescriptors(t *testing.T) {
	folder := t.TempDir()
	file, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	path := fmt.Sprintf("/dev/fd/%d", file.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no descriptors by path here: %v", err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, name := range []string{path, link} {
		if _, err := file.WriteString("before "); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(Writable(name), WriteFile(name, text("result "))); err != nil {
			t.Fatal(err)
		}
		want += "before result "
	}
	holds(t, file.Name(), want, "link", "log")
	if err := Writable("/dev/fd/999"); err == nil {
		t.Error("a descriptor that is not open can be written")
	}
}
