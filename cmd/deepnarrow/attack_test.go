//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// attack is a script that has held when it ends with 0, within the bounds of [runAttacks]. dn is the
// program.
type attack struct {
	name         string
	unprivileged bool // needs permissions to be refused, and so does not run as root
	script       string
}

const (
	mostAttackSeconds = 300     // an attack takes seconds: what takes this long hangs
	mostAttackBytes   = 1 << 30 // of memory, as promised of every reader
)

// runAttacks runs the attacks as the current user and, where that is root, as one without rights.
// What they leave in files FOLDER/*.out must be harmless in the log of a workflow.
func runAttacks(t *testing.T, prelude string, attacks []attack) {
	t.Helper()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	const nobody = 65534
	users := []int{os.Getuid()}
	if users[0] == 0 {
		users = append(users, nobody)
	}
	source, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	program := forAll(t, t.TempDir())
	build := exec.Command("go", "build", "-o", filepath.Join(program, "dn"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, user := range users {
		for _, c := range attacks {
			if c.unprivileged && user == 0 {
				continue
			}
			t.Run(fmt.Sprintf("uid %d/%s", user, c.name), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(context.Background(), mostAttackSeconds*time.Second)
				defer cancel()
				command := exec.CommandContext(ctx, shell, "-c", prelude+c.script)
				command.Dir = forAll(t, t.TempDir())
				command.Env = []string{"PATH=" + program + ":" + os.Getenv("PATH"), "HOME=" + command.Dir, "SOURCE=" + source}
				command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
				if user != os.Getuid() {
					command.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
				}
				if out, err := command.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
				if unit := int64(1 << 10); ok && runtime.GOOS == "linux" && int64(usage.Maxrss)*unit > mostAttackBytes {
					t.Errorf("took %d MiB of memory", int64(usage.Maxrss)*unit>>20)
				}
				checkHarmless(t, command.Dir)
			})
		}
	}
}

// harmful is what no output may hold: what is in the secret of an attack, commands of a workflow, and
// characters that steer a terminal.
var harmful = regexp.MustCompile(`s3cret|(?m:^\s*::)|##[A-Za-z]*\[|[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]`)

func checkHarmless(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := harmful.FindIndex(text); at != nil {
			t.Errorf("%s: %q in %q", filepath.Base(name), text[at[0]:at[1]], text[max(0, at[0]-80):min(len(text), at[1]+80)])
		}
	}
}

// forAll lets every user into a temporary folder.
func forAll(t *testing.T, folder string) string {
	t.Helper()
	for name, mode := range map[string]os.FileMode{folder: 0o777, filepath.Dir(folder): 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
