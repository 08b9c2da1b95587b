package host

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// temporary is a file that is written before it gets its name.
type temporary struct {
	*os.File
	hidden string // the name that it has so far; empty for none
}

// hiddenEnd ends the names of files that are not yet whole.
const hiddenEnd = ".deepnarrow"

// hiddenName is what all hidden names of a file begin with. No system has names longer than 255
// bytes.
func hiddenName(name string) string {
	const most = 200
	base := filepath.Base(name)
	return "." + base[:min(len(base), most)] + "."
}

// newTemporary makes the file that becomes name. It is locked as long as it is open, so that
// [sweep] tells it from what a kill left.
func newTemporary(name string) (*temporary, error) {
	if f, err := unnamed(filepath.Dir(name)); err == nil {
		lock(f)
		return &temporary{File: f}, nil
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	hidden := newHidden(name)
	f, err := os.OpenFile(hidden, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	lock(f)
	return &temporary{f, hidden}, nil
}

func newHidden(name string) string {
	return filepath.Join(filepath.Dir(name), fmt.Sprintf("%s%08x%s", hiddenName(name),
		rand.Uint32(), hiddenEnd))
}

// become gives the file its name. An unnamed file gets a new name at once; to replace another it
// is hidden for the moment between two calls of the system.
func (t *temporary) become(name string, replace bool) error {
	if t.hidden == "" {
		if !replace {
			if err := link(t.File, name); !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		hidden := newHidden(name)
		if err := link(t.File, hidden); err != nil {
			return err
		}
		t.hidden = hidden
	}
	if runtime.GOOS == "windows" { // which renames no open file
		if err := t.Close(); err != nil {
			return err
		}
	}
	err := os.Rename(t.hidden, name)
	if err == nil {
		t.hidden = ""
	}
	return err
}

// discard closes the file, and removes what has not become one.
func (t *temporary) discard() {
	if t.hidden != "" {
		os.Remove(t.hidden)
	}
	t.Close()
}

// sweep removes what a kill left of earlier writes of a file.
func sweep(name string) {
	folder, begin := filepath.Dir(name), hiddenName(name)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), begin)
		const digits = 8
		if ours && e.Type().IsRegular() && len(rest) == digits+len(hiddenEnd) &&
			rest[digits:] == hiddenEnd && abandoned(filepath.Join(folder, e.Name())) {
			os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}
