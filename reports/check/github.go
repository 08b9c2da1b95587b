package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// mostAnnotations is how many annotations of a level GitHub shows of one step; the last of them
// says how many more there are.
const mostAnnotations = 10

// Escapes of workflow commands: a message may not end its line, a property neither that nor itself.
// Other characters that steer are spaces, and no second command begins inside.
var (
	githubLine   = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubColons = strings.NewReplacer(":", "%3A", ",", "%2C")
)

func githubData(text string) string { return plain.Commandless(plain.Line(githubLine.Replace(text))) }

func githubProperty(text string) string { return githubColons.Replace(githubData(text)) }

// writeGitHub writes a workflow command for each finding that is not a pass.
func (r *Result) writeGitHub(w io.Writer) error {
	broken, _ := r.urgent()
	byLevel := map[string][]Finding{}
	for _, f := range broken {
		level := "error"
		if f.Status == Warn {
			level = "warning"
		}
		byLevel[level] = append(byLevel[level], f)
	}
	var b strings.Builder
	for _, level := range []string{"error", "warning"} {
		all := byLevel[level]
		shown := all
		if len(all) > mostAnnotations {
			shown = all[:mostAnnotations-1]
		}
		for _, f := range shown {
			place := "file=" + githubProperty(f.File)
			if f.Line > 0 {
				place += fmt.Sprintf(",line=%d,col=%d", f.Line, f.Column)
			}
			message := f.Message
			if f.Hint != "" {
				message += "\nhint: " + f.Hint
			}
			fmt.Fprintf(&b, "::%s %s,title=%s::%s\n", level, place,
				githubProperty("deepnarrow "+f.Rule), githubData(message))
		}
		if more := len(all) - len(shown); more > 0 {
			fmt.Fprintf(&b, "::%s title=deepnarrow::%d more\n", level, more)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
