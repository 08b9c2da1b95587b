package vec

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// generated are the files that the module gen writes, by the instruction set it is asked for.
var generated = []string{"avx2", "avx512"}

// TestGeneratedIsFresh runs the generator and compares bytes.
func TestGeneratedIsFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator: not in short mode")
	}
	command := func(args ...string) *exec.Cmd {
		c := exec.Command("go", args...)
		c.Dir = "gen"
		c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		return c
	}
	if out, err := command("mod", "download").CombinedOutput(); err != nil {
		t.Skipf("the generator's modules cannot be fetched: %v\n%s", err, out)
	}
	for _, set := range generated {
		dir := t.TempDir()
		files := []string{set + "_amd64.s", set + "_amd64.go"}
		assembly, stubs := filepath.Join(dir, files[0]), filepath.Join(dir, files[1])
		run := command("run", ".", "-isa", set, "-pkg", "vec", "-out", assembly, "-stubs", stubs)
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("generator: %v\n%s", err, out)
		}
		for _, name := range files {
			want, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what the generator writes: run go generate", name)
			}
		}
	}
}

// TestAssemblyRules: every return clears the upper halves of the registers, which SSE code would
// otherwise wait for; AVX2 routines keep to the instructions and the 16 registers that AVX2 has.
func TestAssemblyRules(t *testing.T) {
	wide := regexp.MustCompile(`\b(Z\d+|K\d|[XY](1[6-9]|[23]\d))\b`)
	for _, set := range generated {
		text, err := os.ReadFile(set + "_amd64.s")
		if err != nil {
			t.Fatal(err)
		}
		returns := 0
		for _, function := range strings.Split(string(text), "TEXT ·")[1:] {
			name, _, _ := strings.Cut(function, "(")
			lines := strings.Split(strings.TrimSpace(function), "\n")
			cleared := false
			for _, line := range lines {
				fields := strings.Fields(line)
				switch {
				case len(fields) == 0:
				case fields[0] == "VZEROUPPER":
					cleared = true
				case fields[0] == "RET":
					returns++
					if !cleared {
						t.Errorf("%s returns without VZEROUPPER", name)
					}
				case strings.HasPrefix(fields[0], "V"):
					cleared = false
					if set == "avx2" && wide.MatchString(line) {
						t.Errorf("%s needs more than AVX2: %s", name, strings.TrimSpace(line))
					}
				}
			}
		}
		if routines := reflect.TypeFor[kernels]().NumField(); returns != routines {
			t.Errorf("%s has %d returns, want one for each of the %d routines", set, returns,
				routines)
		}
	}
}
