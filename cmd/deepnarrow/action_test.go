package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// comment is one of GitHub's, as far as the script reads it.
type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

// comments is the part of GitHub's REST API that comments, kept in memory: list, create, update and
// delete comments of an issue (docs.github.com/rest/issues/comments).
type comments struct {
	sync.Mutex
	list    []comment
	next    int
	refuses bool // the token may read only
	calls   []string
}

func (c *comments) add(login, body string) {
	c.next++
	n := comment{ID: c.next, Body: body}
	n.User.Login = login
	c.list = append(c.list, n)
}

func (c *comments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.Lock()
	defer c.Unlock()
	c.calls = append(c.calls, r.Method)
	id, _ := strconv.Atoi(filepath.Base(r.URL.Path))
	at := slices.IndexFunc(c.list, func(n comment) bool { return n.ID == id })
	var sent struct{ Body string }
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
	}
	const issue, one = "/repos/o/r/issues/7/comments", "/repos/o/r/issues/comments/"
	switch {
	case r.Header.Get("Authorization") != "Bearer secret":
		http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
	case r.Method == http.MethodGet && r.URL.Path == issue:
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		from := min(len(c.list), (page-1)*100)
		_ = json.NewEncoder(w).Encode(c.list[from:min(len(c.list), from+100)])
	case c.refuses:
		http.Error(w, `{"message": "Resource not accessible by integration"}`, http.StatusForbidden)
	case r.Method == http.MethodPost && r.URL.Path == issue:
		c.add("github-actions[bot]", sent.Body)
		w.WriteHeader(http.StatusCreated)
	case at < 0 || !strings.HasPrefix(r.URL.Path, one):
		http.Error(w, `{"message": "Not Found"}`, http.StatusNotFound)
	case r.Method == http.MethodPatch:
		c.list[at].Body = sent.Body
	case r.Method == http.MethodDelete:
		c.list = slices.Delete(c.list, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

// linked returns the test binary under the name of the program, as which it runs that, see TestMain.
func linked(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "deepnarrow")
	if err := os.Symlink(self, name); err != nil {
		t.Skip(err)
	}
	return name
}

// needs skips a test that a program is missing for.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(p + " is needed")
		}
	}
}

// shell runs a script of .ci in a folder.
func shell(t *testing.T, folder string, env []string, name string, args ...string) (code int, out string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, ".ci", name))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("bash", append([]string{script}, args...)...)
	c.Dir, c.Env = folder, append(os.Environ(), env...)
	text, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

// TestActionComments replays a pull request through what the action runs: the comment says what the
// change costs, is updated by the next run, and never doubled; those of others are left alone.
func TestActionComments(t *testing.T) {
	needs(t, "bash", "curl", "jq", "git")
	github := &comments{}
	server := httptest.NewServer(github)
	defer server.Close()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write(".deepnarrow.yaml", "extends: []\nfiles: \"*.yaml\"\nrules: [{id: small, metric: params, max: 300M}]\n")
	write("a.yaml", "extends: t5-base\n")
	write("b.yaml", "extends: t5-base\n")
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	base := git("rev-parse", "HEAD")
	write("a.yaml", "extends: t5-base\nencoder: {layers: 14}\n")
	git("commit", "-q", "-a", "-m", "two")

	kept := t.TempDir()
	event, output := filepath.Join(kept, "event.json"), filepath.Join(kept, "output")
	env := []string{
		"PROGRAM=" + linked(t), "COMMENT=true", "GITHUB_EVENT_PATH=" + event, "GITHUB_OUTPUT=" + output,
		"GITHUB_STEP_SUMMARY=" + filepath.Join(kept, "summary"), "GITHUB_REPOSITORY=o/r",
		"GITHUB_API_URL=" + server.URL, "GITHUB_TOKEN=secret",
	}
	replay := func(body string, want int, says string) {
		t.Helper()
		if err := os.WriteFile(event, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out := shell(t, folder, env, "action")
		if code != want || !strings.Contains(out, says) || strings.Contains(out, "secret") {
			t.Fatalf("exit %d, want %d and %q:\n%s", code, want, says, out)
		}
	}
	mine := func() (bodies []string) {
		for _, c := range github.list {
			if c.User.Login == "github-actions[bot]" && strings.HasPrefix(c.Body, "<!-- deepnarrow-check -->") {
				bodies = append(bodies, c.Body)
			}
		}
		return bodies
	}
	pull := `{"pull_request": {"number": 7, "base": {"sha": "` + base + `"}}}`

	for range 130 { // the comment is on the second page, behind one that only looks like it
		github.add("someone", "looks good to me")
	}
	github.add("someone", "<!-- deepnarrow-check -->\nforged")
	replay(pull, 0, "commented on #7")
	if got := mine(); len(got) != 1 || !strings.Contains(got[0], "a.yaml") || strings.Contains(got[0], "b.yaml") ||
		!strings.Contains(got[0], "change since") || !strings.Contains(got[0], "(+6.35 %)") {
		t.Fatalf("the first run: %q", got)
	}
	write("a.yaml", "extends: t5-base\nencoder: {layers: 36}\n")
	git("commit", "-q", "-a", "-m", "three")
	replay(pull, 1, "updated the comment on #7")
	if got := mine(); len(got) != 1 || !strings.Contains(got[0], "check failed") {
		t.Fatalf("the second run: %q", got)
	}
	github.add("github-actions[bot]", "<!-- deepnarrow-check -->\nof a run at the same time")
	replay(pull, 1, "updated")
	if got := mine(); len(got) != 1 || github.list[130].Body != "<!-- deepnarrow-check -->\nforged" {
		t.Fatalf("two comments became %d", len(got))
	}
	if text, err := os.ReadFile(output); err != nil || !strings.HasSuffix(string(text), "exit-code=1\n") {
		t.Errorf("outputs: %q, %v", text, err)
	}

	before := len(github.calls)
	replay(`{"ref": "refs/heads/main"}`, 1, "not of a pull request")
	if len(github.calls) != before {
		t.Error("a push was commented")
	}
	github.refuses = true
	replay(pull, 1, "this token may not comment")
	replay(`{"pull_request": {"number": "7/../../x", "base": {}}}`, 2, "names no pull request")
}

// TestInstall: a pack is installed that its release lists, and no other.
func TestInstall(t *testing.T) {
	needs(t, "bash", "curl", "tar")
	if runtime.GOOS == "windows" {
		t.Skip("names of packs are those of a Unix here")
	}
	const version = "v9.8.7"
	name := fmt.Sprintf("deepnarrow-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH)
	const script = "#!/bin/sh\necho installed\n"
	var pack bytes.Buffer
	zipped := gzip.NewWriter(&pack)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: name + "/deepnarrow", Mode: 0o755, Size: int64(len(script))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(archive, script); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	var sum atomic.Value // as the release lists it
	sum.Store(fmt.Sprintf("%x", sha256.Sum256(pack.Bytes())))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/" + version + "/" + name + ".tar.gz":
			_, _ = w.Write(pack.Bytes())
		case "/" + version + "/deepnarrow-" + version + "-checksums.txt":
			fmt.Fprintf(w, "%s  %s.tar.gz\n", sum.Load(), name)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	folder := filepath.Join(t.TempDir(), "bin")
	env := []string{"DEEPNARROW_RELEASES=" + server.URL}
	if code, out := shell(t, ".", env, "install", version, folder); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if out, err := exec.Command(filepath.Join(folder, "deepnarrow")).Output(); err != nil || string(out) != "installed\n" {
		t.Errorf("%q, %v", out, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	sum.Store(strings.Repeat("0", 64))
	for _, c := range [][2]string{{version, "is not what the release lists"}, {"v1.0.0", "404"}, {"main", "allowed: a release"}, {"../v1.0.0", "allowed: a release"}} {
		other := filepath.Join(t.TempDir(), "bin")
		code, out := shell(t, ".", env, "install", c[0], other)
		if _, err := os.Stat(filepath.Join(other, "deepnarrow")); code == 0 || err == nil || !strings.Contains(out, c[1]) {
			t.Errorf("%s: exit %d, %v: %s", c[0], code, err, out)
		}
	}
}
