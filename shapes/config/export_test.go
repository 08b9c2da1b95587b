package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// TestExportCatalogue writes every shape of the catalogue in every format; what is written must
// read back as the same architecture, which [Export] itself holds, and what is refused must name a
// field. The counts are how many the formats are known to express.
func TestExportCatalogue(t *testing.T) {
	written := map[string]int{}
	countable := 0
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" {
			continue
		}
		countable++
		for _, format := range ExportFormats() {
			s := e.Shape
			out, err := Export(&s, format)
			var cannot *InexpressibleError
			switch {
			case err == nil:
				written[format]++
				r, err := Read(
					out.Name,
					strings.NewReader(out.Text),
					Options{Vocab: vocabOf(&s, format)},
				)
				if err != nil || !r.Shape.SameArchitecture(s) {
					t.Errorf("%s as %s: %v", s.Name, format, err)
				}
			case !errors.As(err, &cannot) || len(cannot.Fields) == 0:
				t.Errorf("%s as %s: %v", s.Name, format, err)
			default:
				if format == "hf" || format == "yaml" {
					t.Logf("%v", err)
				}
			}
		}
	}
	t.Logf("%d shapes; %v", countable, written)
	if written["yaml"] != countable {
		t.Errorf("our own format writes %d of %d", written["yaml"], countable)
	}
}
