package config

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// TestClassesWithTheirDefaults reads a configuration that names a model type and a class and nothing
// else. testdata/classes.csv has the parameters of the class of transformers 4.52.4 or 5.3 when it is
// made from such a configuration, counted over its tensors without weights, tied ones once.
func TestClassesWithTheirDefaults(t *testing.T) {
	f, err := os.Open("testdata/classes.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		want, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"model_type": %q, "architectures": [%q]}`, row[0], row[1])
		r, err := Read("config.json", strings.NewReader(text), Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := flops.CountParameters(&r.Shape).Total; got != want {
			t.Errorf("%s: %d, want %d (%d)", text, got, want, got-want)
		}
	}
}
