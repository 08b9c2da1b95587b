package gemm_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The committed assembly is what its generator writes, here and for the probes: nobody edited
// either alone.
func TestAssemblyIsAsGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("building the generator takes a while")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("no go command to build the generator with: %v", err)
	}
	if out, err := goCommand("mod", "download").CombinedOutput(); err != nil {
		t.Skipf("the modules of the generator are not here and cannot be fetched: %v\n%s", err, out)
	}
	root := t.TempDir()
	if out, err := goCommand("run", ".", root).CombinedOutput(); err != nil {
		t.Fatalf("generator: %v\n%s", err, out)
	}
	kernel, fresh := "..", files(t, root)
	for name, want := range fresh {
		got, err := os.ReadFile(filepath.Join(kernel, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes", name)
		}
	}
	for _, folder := range []string{"gemm", "probe"} {
		committed, err := filepath.Glob(filepath.Join(kernel, folder, "*.s"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range committed {
			if name := filepath.Join(folder, filepath.Base(path)); fresh[name] == nil {
				t.Errorf("%s is not among the files of the generator", name)
			}
		}
	}
}

// goCommand returns a command that runs in the module of the generator, whatever workspace or flags
// surround the test.
func goCommand(args ...string) *exec.Cmd {
	c := exec.Command("go", args...)
	c.Dir = "gen"
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOOS=", "GOARCH=")
	return c
}

func files(t *testing.T, root string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, root+string(filepath.Separator))] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("the generator wrote nothing")
	}
	return found
}
