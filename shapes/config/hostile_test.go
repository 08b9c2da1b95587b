package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"golang.org/x/text/encoding/unicode"
)

func TestEncodings(t *testing.T) {
	plain := `{"model_type": "t5"}`
	utf16 := func(endian unicode.Endianness, mark unicode.BOMPolicy) string {
		s, err := unicode.UTF16(endian, mark).NewEncoder().String(plain)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	tests := []struct {
		name, content, want string // want is empty when the file is read
	}{
		{"plain", plain, ""},
		{"UTF-8 with a mark", "\xef\xbb\xbf" + plain, ""},
		{
			"UTF-16 little-endian", utf16(unicode.LittleEndian, unicode.UseBOM),
			"f.json: is encoded as UTF-16",
		},
		{
			"UTF-16 big-endian", utf16(unicode.BigEndian, unicode.UseBOM),
			"f.json: is encoded as UTF-16",
		},
		{
			"UTF-16 without a mark", utf16(unicode.LittleEndian, unicode.IgnoreBOM),
			"f.json:1:2: a zero byte in a text file",
		},
		{
			"UTF-16 cut", utf16(unicode.LittleEndian, unicode.UseBOM)[:9],
			"f.json: is encoded as UTF-16",
		},
		{"UTF-32", "\xff\xfe\x00\x00{\x00\x00\x00", "f.json: is encoded as UTF-32"},
		{"Latin-1", "{\"model_type\":\n \"t\xe95\"}", "f.json:2:4: is not UTF-8: byte 0xe9"},
		{"empty", "", "f.json: is empty"},
		{"only spaces", " \n\t\n", "f.json: is empty"},
		{"only a mark", "\xef\xbb\xbf", "f.json: is empty"},
	}
	for _, tt := range tests {
		_, err := Read("f.json", strings.NewReader(tt.content), Options{})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Hostile content is refused with an error of our type, whatever the name says it is. The test's
// own time limit would catch one that hangs.
func TestHostileContent(t *testing.T) {
	const big = 100 << 20
	deep := 1 << 20
	tests := []struct {
		name    string
		content io.Reader
		want    string
	}{
		{"100 MB of JSON", io.LimitReader(repeat(`{"a": `), big), "is too large"},
		{"100 MB of YAML", io.LimitReader(repeat("a: b\n"), big), "is too large"},
		{"100 MB without end", io.LimitReader(repeat("x"), big), "is too large"},
		{
			"deep JSON lists",
			strings.NewReader(`{"a":` + strings.Repeat("[", deep)),
			"is nested too deep",
		},
		{
			"deep JSON objects",
			strings.NewReader(strings.Repeat(`{"a":`, deep)),
			"is nested too deep",
		},
		{
			"wide JSON",
			strings.NewReader(`{"a":[` + strings.Repeat("0,", deep) + "0]}"),
			"holds too many values",
		},
		{
			"JSON of one key",
			strings.NewReader(`{"model_type": "t5"` + strings.Repeat(`,"a":1`, 100_000) + "}"),
			"has more faults: 99899",
		},
		{
			"a long word",
			strings.NewReader(`{"model_type": "` + strings.Repeat("x", 10<<20) + `"}`),
			"is an architecture that is not supported yet",
		},
		{
			"deep YAML flow", strings.NewReader("a: " + strings.Repeat("[", 5_000)),
			"is nested too deep",
		},
		{
			"deep YAML dashes", strings.NewReader(strings.Repeat("- ", 5_000) + "x"),
			"is nested too deep",
		},
		{
			"deep YAML keys", strings.NewReader(strings.Repeat("? ", 5_000) + "x"),
			"is nested too deep",
		},
		{"deep YAML indents", strings.NewReader(staircase(300)), ""},
		{
			"wide YAML", strings.NewReader("a: [" + strings.Repeat("1, ", 20_000) + "1]"),
			"holds too many values",
		},
		{
			"many YAML keys", strings.NewReader(strings.Repeat("? a\n", 15_000)),
			"holds too many values",
		},
		{"YAML quotes", strings.NewReader(strings.Repeat(`"`, 60_000)), ""},
		{"YAML colons", strings.NewReader(strings.Repeat("a:", 30_000)), ""},
		{"YAML bomb", strings.NewReader(bomb(9)), "uses anchor, which is not accepted here"},
		{
			"deep gin",
			strings.NewReader("A = " + strings.Repeat("(", 500_000)),
			"is nested too deep",
		},
		{
			"gin without end",
			strings.NewReader("A = '" + strings.Repeat("x", 500_000)),
			"has no closing quote",
		},
		{
			"gin of nothing but lines",
			strings.NewReader("A = 1\n" + strings.Repeat("B\n", 300_000)),
			"is not a gin statement",
		},
		{"large gin", strings.NewReader(strings.Repeat("A.b = 1\n", 200_000)), "is too large"},
		{
			"many gin bindings",
			strings.NewReader(strings.Repeat("A.b = 1\n", 25_000)),
			"holds too many bindings",
		},
		{
			"long gin list",
			strings.NewReader("A = [" + strings.Repeat("1,", 400_000) + "]\n"),
			"configures no model",
		},
	}
	for _, tt := range tests {
		_, err := Read("-", tt.content, Options{})
		var typed *syntax.Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), tt.want) {
			message := fmt.Sprint(err)
			t.Errorf("%s: %.200s, want %q", tt.name, message, tt.want)
			continue
		}
		if len(err.Error()) > 20_000 {
			t.Errorf("%s: a message of %d bytes", tt.name, len(err.Error()))
		}
	}
}

type repeater struct {
	text string
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}

func repeat(s string) io.Reader { return &repeater{text: s} }

// staircase returns YAML in which every line is a key under the one before.
func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// bomb returns YAML whose aliases multiply by nine in every line.
func bomb(lines int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i < lines; i++ {
		alias := fmt.Sprintf("*a%d, ", i-1)
		fmt.Fprintf(
			&b,
			"a%d: &a%d [%s]\n",
			i,
			i,
			strings.TrimSuffix(strings.Repeat(alias, 9), ", "),
		)
	}
	return b.String()
}

func TestDirectory(t *testing.T) {
	f, err := os.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Read("testdata", f, Options{}); err == nil ||
		!strings.HasPrefix(err.Error(), "testdata: cannot be read: ") {
		t.Errorf("got %v", err)
	}
}

func TestExtendsIsBounded(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 40 {
		files[fmt.Sprintf("c/%d.yaml", i)] = &fstest.MapFile{
			Data: fmt.Appendf(nil, "extends: ./%d.yaml\n", i+1),
		}
	}
	if _, err := readFrom(t, files, "c/0.yaml"); err == nil ||
		!strings.Contains(err.Error(), "c/15.yaml:1:10: extends is a chain of too many files") {
		t.Errorf("chain: %v", err)
	}
	for _, target := range []string{"../a.yaml", "./x/../../a.yaml", "/a.yaml", `..\a.yaml`, "..", "../c2/a.yaml"} {
		files["c/t.yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, "extends: '%s'\n", target)}
		_, err := readFrom(t, files, "c/t.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), "c/t.yaml:1:10: extends ") {
			t.Errorf("%s: %v", target, err)
		}
	}
	// Inside a wider root the same reference is fine.
	files["base.yaml"] = &fstest.MapFile{Data: mustRead(t, "testdata/good/t5-small.yaml")}
	files["c/t.yaml"] = &fstest.MapFile{Data: []byte("extends: ../base.yaml\n")}
	o := openFrom(files)
	o.Root = "."
	f, err := files.Open("c/t.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Read("c/t.yaml", f, o)
	if err != nil || !r.Shape.SameArchitecture(t5Small()) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A symbolic link out of the folder, and a loop of links, are refused by a root
// that does not follow them, and arrive as an error with a place.
func TestExtendsThroughLinks(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"out.yaml": "/etc/passwd", "loop.yaml": "loop.yaml"} {
		if err := os.Symlink(target, dir+"/"+name); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	o := Options{Open: func(name string) (io.ReadCloser, error) { return root.Open(name) }}
	for _, name := range []string{"out.yaml", "loop.yaml"} {
		_, err := Read("a.yaml", strings.NewReader("extends: ./"+name), o)
		if err == nil ||
			!strings.HasPrefix(err.Error(), "a.yaml:1:10: extends cannot be opened: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A reader that fails in the middle is an error of the file, not a short file.
func TestReadFailure(t *testing.T) {
	broken := io.MultiReader(bytes.NewReader([]byte(`{"model_type": "t5"`)), &failing{})
	if _, err := Read("f.json", broken, Options{}); err == nil ||
		err.Error() != "f.json: cannot be read: the disk is gone" {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }
