package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func (a *app) list() *cobra.Command {
	lists := []string{"shapes", "hardware", "conventions", "regions", "laws", "evidence"}
	c := &cobra.Command{
		Use:       "list " + strings.Join(lists, "|"),
		Short:     "List known shapes, hardware, FLOPs conventions, regions, laws or evidence",
		GroupID:   groupPlan,
		Example:   "  deepnarrow list shapes small\n  deepnarrow list hardware\n  deepnarrow list regions gcp",
		ValidArgs: lists,
		Long: `List what the program knows: shapes of released models, accelerator profiles,
FLOPs conventions, regions with their grid intensity, scaling laws to fit, or the published
evidence that recommendations are held against. Further words filter: a row must contain all of
them.`,
		Args: frame.Arguments(1, 0, "", "%[1]s needs one of: "+strings.Join(lists, ", ")),
		RunE: func(_ *cobra.Command, args []string) error {
			r := frame.NewReport("list", "list", args[0])
			words := args[1:]
			switch args[0] {
			case "shapes":
				r.Shapes(matching(shapes.Catalogue(), words, func(e shapes.Entry) string {
					return strings.Join(append([]string{
						e.Name, string(e.Shape.Family),
						string(e.Evidence),
					}, e.Aliases...), " ")
				}))
			case "hardware":
				r.Hardware(matching(hardware.Catalogue(), words, func(p hardware.Profile) string {
					return strings.Join(append([]string{p.Name, p.Vendor}, p.Aliases...), " ")
				}))
			case "conventions":
				r.Conventions()
			case "regions":
				r.Regions(matching(hardware.Regions(), words, func(p hardware.Region) string {
					return strings.Join([]string{p.Key, p.Name, p.Kind, p.Provider}, " ")
				}))
			case "laws":
				r.Laws(matching(fit.Laws(), words, func(l fit.Law) string { return l.Name + " " + l.Response }))
			case "evidence":
				opinions, err := evidence.SecondOpinions()
				if err != nil {
					return err
				}
				r.Evidence(matching(opinions, words, func(o evidence.SecondOpinion) string {
					return strings.Join([]string{o.Name, o.Title, o.Models, string(o.Weakest)}, " ")
				}))
			default:
				elsewhere := map[string]string{"gpus": "hardware", "gpu": "hardware", "accelerators": "hardware", "devices": "hardware", "models": "shapes"}
				if ours := elsewhere[args[0]]; ours != "" {
					return frame.Usage("did you mean "+ours+"?", "unknown list: %q; allowed: %s", args[0], strings.Join(lists, ", "))
				}
				return frame.UnknownWord("list", args[0], lists)
			}
			if len(r.Document.Results) == 0 {
				r.Document.Warn(fmt.Sprintf("nothing in the list of %s has every word of %q",
					args[0], strings.Join(words, " ")))
			}
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	return c
}

// matching keeps the items whose text contains every word, letter case aside.
func matching[T any](items []T, words []string, text func(T) string) []T {
	var kept []T
	for _, item := range items {
		all := strings.ToLower(text(item))
		fits := true
		for _, w := range words {
			fits = fits && strings.Contains(all, strings.ToLower(w))
		}
		if fits {
			kept = append(kept, item)
		}
	}
	return kept
}
