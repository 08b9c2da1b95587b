package shapes

import "github.com/deepnarrow/deepnarrow/data"

// efficientPrefix starts the name of every T5-Efficient model.
const efficientPrefix = "t5-efficient-"

// efficientAliases are the names under which the paper means a T5-Efficient model although no
// public T5 has that size.
var efficientAliases = map[string][]string{
	efficientPrefix + "tiny": {"t5-tiny"},
	efficientPrefix + "mini": {"t5-mini"},
}

// sharingReasons says why the variants of Tay et al. 2021 that share weights inside attention are
// no [Shape].
var sharingReasons = map[string]string{
	"sh":   "its attention heads share their projections, which the formulas for separate heads do not cover; no checkpoint of it was published to count",
	"skv":  "its keys and values share one projection, which the formulas for separate ones do not cover; no checkpoint of it was published to count",
	"shkv": "its heads share their projections and its keys and values share one, which the formulas for separate ones do not cover; no checkpoint of it was published to count",
}

// efficientEntry returns one of the 170 models of Tay et al. 2021 (arXiv 2109.10686).
func efficientEntry(row *data.Checkpoint) *Entry {
	e := &Entry{
		Name: row.Name, Aliases: efficientAliases[row.Name],
		Shape: released(&data.ReleasedShape{
			Name: row.Name, Recipe: "t5", Dimensions: row.Dimensions, KVHeads: row.Heads,
		}),
		NotCountable: sharingReasons[row.Sharing],
		Evidence:     row.Evidence, Source: row.Source, Note: row.Note,
	}
	if row.Released != "no" {
		e.Checkpoints = []string{"google/" + row.Name}
	}
	return e
}
