package frame

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// commandLine writes the arguments as a shell reads them, without the flags that say where the
// result goes and how it looks: the same result has the same command line.
func commandLine(args []string) string {
	words := []string{"deepnarrow"}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch {
		case slices.Contains([]string{"--wide", "--details", "-q", "--quiet", "-v", "--verbose"}, name):
		case slices.Contains([]string{"-o", "-f", "--output", "--format", "--color"}, name):
			if !joined {
				i++ // its value
			}
		case strings.HasPrefix(args[i], "-o") && !strings.HasPrefix(args[i], "--"):
		default:
			words = append(words, plain.Quoted(args[i]))
		}
	}
	return strings.Join(words, " ")
}
